"""What answered a request, in words: the view's dotted name, and the user it has already looked up."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

from django.http import HttpRequest
from django.utils.functional import LazyObject

from otelkit.request.addresses import pseudonym


def view_name(request: HttpRequest, method: str) -> str | None:
    """Dotted name of what answered, down to the method: ``shop.views.Orders.get``, of a viewset its action; None where nothing matched.

    ``method`` is the request's, as a label (few values).
    """
    match = request.resolver_match
    if match is None:
        return None
    try:
        return _name(match.func, method)
    except TypeError:  # a callable object that cannot be a key
        return _name.__wrapped__(match.func, method)


@lru_cache(maxsize=4096)
def _name(view: Callable[..., Any], method: str) -> str:
    # view_class is Django's, cls Django REST framework's.
    kind = getattr(view, "view_class", None) or getattr(view, "cls", None)
    if kind is None:
        return _of_function(view)
    if not kind.__qualname__.endswith(kind.__name__):  # @api_view: a class around a function, whose name it takes
        return f"{kind.__module__}.{kind.__name__}"
    name = f"{kind.__module__}.{kind.__qualname__}"
    handler = method.lower()
    handler = (getattr(view, "actions", None) or {}).get(handler, handler)
    if handler == "head" and not hasattr(kind, "head"):
        handler = "get"  # as both answer HEAD
    return f"{name}.{handler}" if hasattr(kind, handler) else name


def _of_function(view: Callable[..., Any]) -> str:
    while isinstance(view, partial):
        view = view.func
    name = getattr(view, "__qualname__", None)
    return f"{view.__module__}.{name}" if name else f"{type(view).__module__}.{type(view).__qualname__}.__call__"


def user_of(request: HttpRequest, *, hashed: bool) -> str | None:
    """The id of a user that was looked up already; None where nobody asked for one: asking costs two queries (A12)."""
    known = request.__dict__
    user = known.get("_cached_user") or known.get("_acached_user")
    if user is None:
        user = known.get("user")  # what a login, or Django REST framework, put there itself
        if user is None or isinstance(user, LazyObject):
            return None
    pk = getattr(user, "pk", None)
    if pk is None:
        return None
    return pseudonym("user.id", str(pk)) if hashed else str(pk)[:64]
