"""How OpenTelemetry names arrive in Prometheus, computed.

Source: the OTLP translation of Prometheus 3 with ``UnderscoreEscapingWithSuffixes`` (its default). The tests compare
every name here with what a real Prometheus stores, over OTLP and by scrape.
"""

from __future__ import annotations

import re
from decimal import Decimal

from otelkit.catalog.labels import Label
from otelkit.catalog.metrics import Kind, Metric

_UNITS = {
    "d": "days",
    "h": "hours",
    "min": "minutes",
    "s": "seconds",
    "ms": "milliseconds",
    "us": "microseconds",
    "ns": "nanoseconds",
    "By": "bytes",
    "KiBy": "kibibytes",
    "MiBy": "mebibytes",
    "GiBy": "gibibytes",
    "TiBy": "tibibytes",
    "KBy": "kilobytes",
    "MBy": "megabytes",
    "GBy": "gigabytes",
    "TBy": "terabytes",
    "m": "meters",
    "V": "volts",
    "A": "amperes",
    "J": "joules",
    "W": "watts",
    "g": "grams",
    "Cel": "celsius",
    "Hz": "hertz",
    "1": "",
    "%": "percent",
}
_PER_UNITS = {"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week", "mo": "month", "y": "year"}


def label_name(label: Label | str) -> str:
    """The label as Prometheus and Loki spell it: ``http.route`` is ``http_route``."""
    name = label if isinstance(label, str) else label.name
    return re.sub(r"[^a-zA-Z0-9_]", "_", name)


def family_name(metric: Metric) -> str:
    """The metric family without the suffix of its kind: ``http_server_request_duration_seconds``."""
    words = [word for word in re.split(r"[^a-zA-Z0-9]+", metric.name) if word]
    if metric.kind is Kind.COUNTER:
        words = [word for word in words if word != "total"]  # series_name() says it, once and last
    unit, _, per = metric.unit.partition("/")
    words += [word for word in _unit_words(unit, _UNITS) if word not in words]
    if per:
        words += ["per", *_unit_words(per, _PER_UNITS)]
    if metric.kind is Kind.INFO and words[-1] != "info":
        words.append("info")
    return "_".join(words)


def _unit_words(unit: str, known: dict[str, str]) -> list[str]:
    # Braces mark an annotation, which is for people.
    return [] if "{" in unit else [word for word in re.split(r"[^a-zA-Z0-9]+", known.get(unit, unit)) if word]


def series_name(metric: Metric) -> str:
    """The series to count, rate or read: a counter ends in ``_total``, a histogram's observations in ``_count``."""
    if metric.kind is Kind.COUNTER:
        return family_name(metric) + "_total"
    if metric.kind is Kind.HISTOGRAM:
        return family_name(metric) + "_count"
    return family_name(metric)


def series_names(metric: Metric) -> tuple[str, ...]:
    """Every series name that the metric has in Prometheus."""
    if metric.kind is Kind.HISTOGRAM:
        family = family_name(metric)
        return (family + "_bucket", family + "_count", family + "_sum")
    return (series_name(metric),)


def bound_text(bound: float) -> str:
    """A histogram bound as the ``le`` label of an OTLP histogram: ``0.5``, ``1`` for 1.0, and ``0.00001``, never with an exponent."""
    return str(int(bound)) if bound == int(bound) else format(Decimal(repr(bound)), "f")
