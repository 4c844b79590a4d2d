"""A project with these URL patterns and middlewares for the length of a test, and what the kit would say now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from django.conf import settings as project
from django.test import override_settings
from django.urls import clear_url_caches

from otelkit.testing import Telemetry


@contextmanager
def serving(patterns: Sequence[Any], *, middleware: Sequence[str] = (), **settings: Any) -> Iterator[None]:
    """Django answers by these patterns; ``middleware`` comes after the project's own, and the kit's where it runs."""
    urlconf = ModuleType("urls_of_a_test")
    urlconf.urlpatterns = list(patterns)
    with override_settings(ROOT_URLCONF=urlconf, MIDDLEWARE=[*project.MIDDLEWARE, *middleware], **settings):
        yield
    clear_url_caches()


def values(telemetry: Telemetry, name: str) -> dict[Any, float]:
    """The series of a counter or gauge as the next export would send them, by their label values; what has none any more is absent."""
    snapshots = telemetry.runtime.aggregator.collect()
    return {point.labels: point.value for snapshot in snapshots if snapshot.metric.name == name for point in snapshot.numbers}
