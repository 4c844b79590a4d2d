"""A project with these URL patterns and middlewares, for the length of a test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from django.test import override_settings
from django.urls import clear_url_caches

from tests.settings import MIDDLEWARE


@contextmanager
def serving(patterns: Sequence[Any], *, middleware: Sequence[str] = (), **settings: Any) -> Iterator[None]:
    """Django answers by these patterns; ``middleware`` comes after the project's own."""
    urlconf = ModuleType("urls_of_a_test")
    urlconf.urlpatterns = list(patterns)
    with override_settings(ROOT_URLCONF=urlconf, MIDDLEWARE=[*MIDDLEWARE, *middleware], **settings):
        yield
    clear_url_caches()
