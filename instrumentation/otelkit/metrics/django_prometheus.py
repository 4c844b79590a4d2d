"""django-prometheus beside the kit: what it counts leaves over OTLP too, or the kit records under its names without it."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from django.conf import settings
from opentelemetry.sdk.metrics.export import ScopeMetrics

from otelkit.config import Metrics
from otelkit.metrics import user_instruments
from otelkit.metrics.aggregator import Aggregator
from otelkit.metrics.sdk_points import Histograms, Numbers, scope_of
from otelkit.notes import off, on

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric as Family
    from prometheus_client.registry import CollectorRegistry

logger = logging.getLogger("otelkit.metrics")

PACKAGE = "django_prometheus"
SCOPE = "django-prometheus"


def is_used() -> bool:
    """Whether the project lists it: as an app, a middleware, a database or a cache."""
    return bool(places(settings))


def places(project: Any) -> list[str]:
    """The settings that name something of it, each with what it names."""
    backends = [
        (f'{name}["{alias}"]', each.get(key, ""))
        for name, key in (("DATABASES", "ENGINE"), ("CACHES", "BACKEND"))
        for alias, each in dict(getattr(project, name, None) or {}).items()
        if isinstance(each, Mapping)  # anything else is Django's to refuse
    ]
    listed = [(name, entry) for name in ("INSTALLED_APPS", "MIDDLEWARE") for entry in getattr(project, name, None) or ()]
    return [f"{where}: {entry}" for where, entry in (*listed, *backends) if str(entry).partition(".")[0] == PACKAGE]


def follow(config: Metrics, aggregator: Aggregator, undo: ExitStack) -> Iterable[str]:
    """Does what the setting ``metrics.django_prometheus`` says, and says it in a sentence where there is one to say."""
    used = is_used()
    if config.django_prometheus == "emulate" and not used:
        from otelkit.metrics.django_prometheus_names import emulated

        undo.callback(user_instruments.beside(lambda: _safely(lambda: emulated(aggregator)), pushed_only=False))
        return [on("metrics: recorded under the names of django-prometheus too")]
    if not used:
        return []
    if config.django_prometheus == "off" or "otlp" not in config.exporters:
        return [off("metrics of django-prometheus: served where the project serves them, not sent over OTLP")]
    from prometheus_client import REGISTRY

    undo.callback(user_instruments.beside(lambda: _safely(lambda: exported(REGISTRY)), pushed_only=True))
    return [on("metrics of django-prometheus: sent over OTLP too")]


def exported(registry: CollectorRegistry) -> Iterator[Numbers | Histograms]:
    """What django-prometheus has counted in this process, under the names that its own page shows."""
    if PACKAGE not in sys.modules:
        return
    begins = tuple(f"{_namespace()}django_{what}_" for what in ("http", "db", "cache", "model", "migrations"))
    for family in registry.collect():
        if family.name.startswith(begins):
            yield from _points_of(family)


def _namespace() -> str:
    namespace = getattr(settings, "PROMETHEUS_METRIC_NAMESPACE", "")
    return f"{namespace}_" if namespace else ""


def _points_of(family: Family) -> Iterator[Numbers | Histograms]:
    if family.type == "histogram":
        below: dict[tuple[tuple[str, str], ...], dict[float, int]] = {}
        sums: dict[tuple[tuple[str, str], ...], float] = {}
        for sample in family.samples:
            key = tuple(sorted((name, value) for name, value in sample.labels.items() if name != "le"))
            if sample.name.endswith("_bucket"):
                below.setdefault(key, {})[float(sample.labels["le"])] = int(sample.value)
            elif sample.name.endswith("_sum"):
                sums[key] = sample.value
        points = []
        bounds: list[float] = []
        for key, counts in below.items():
            bounds = sorted(counts)
            cumulative = [counts[bound] for bound in bounds]
            each = tuple(count - before for count, before in zip(cumulative, [0, *cumulative], strict=False))
            points.append((dict(key), each, sums.get(key, 0.0)))
        if points:
            yield Histograms(family.name, family.documentation, tuple(bounds[:-1]), points)
        return
    suffix = "_total" if family.type == "counter" else ""
    numbers = [(dict(sample.labels), sample.value) for sample in family.samples if sample.name == family.name + suffix]
    if numbers and family.type in ("counter", "gauge"):
        yield Numbers(family.name + suffix, family.documentation, numbers, counts=family.type == "counter")


def _safely(read: Callable[[], Iterable[Numbers | Histograms]]) -> Sequence[ScopeMetrics]:
    try:
        return scope_of(SCOPE, list(read()))
    except Exception:  # a collector of the project's may raise; what else is exported must not go with it
        logger.warning("The metrics of django-prometheus could not be read this time.", exc_info=True)
        return ()
