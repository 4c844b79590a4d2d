"""Django objects by name, without waking them: to log a user, a model or a query set must not query the database."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Description:
    """What is shown of a Django object: ``text``, or where ``is_proxy``, the object ``wrapped`` that it stands for."""

    text: str = ""
    wrapped: object = None
    is_proxy: bool = False


def describe_django_value(kind: type, value: Any) -> Description | None:
    """What to show of a value of this type, or None where it is none of Django's.

    ``kind`` is ``type(value)``. Only modules that are loaded already are asked: a value can be shown before ``django.setup()``,
    and without Django.
    """
    module = sys.modules.get
    functional: Any = module("django.utils.functional")
    if functional is not None and issubclass(kind, functional.LazyObject):
        # Around __getattribute__: the object's own one would load it. `request.user` costs two queries.
        wrapped = object.__getattribute__(value, "_wrapped")
        if wrapped is functional.empty:
            return Description(f"<{kind.__qualname__}, not loaded>")
        return Description(wrapped=wrapped, is_proxy=True)
    base: Any = module("django.db.models.base")
    if base is not None and issubclass(kind, base.Model):
        # Not str(): a model's __str__ often follows a foreign key.
        return Description(f"{value._meta.label}(pk={value.pk})")
    query: Any = module("django.db.models.query")
    if query is not None and issubclass(kind, (query.QuerySet, query.RawQuerySet)):
        return Description(f"<{kind.__qualname__} of {value.model._meta.label}>")
    request: Any = module("django.http.request")
    if request is not None and issubclass(kind, request.HttpRequest):
        # Its repr holds the query string.
        return Description(f"{value.method} {value.path}")
    return None
