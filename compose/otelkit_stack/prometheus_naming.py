"""How OTLP metrics are called in Prometheus, for any metric: names, labels, and values of labels.

Source: Prometheus 3's OTLP receiver with ``UnderscoreEscapingWithSuffixes`` (its default), that is the ``otlptranslator``
module and ``storage/remote/otlptranslator``. :mod:`otelkit.catalog.naming` is the short form for the metrics of the
catalogue; the tests hold the two together, and both against a real Prometheus.
"""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal
from enum import Enum
from functools import lru_cache

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


class MetricType(Enum):
    """The kinds of OTLP metrics that the name tells apart."""

    COUNTER = "counter"
    UP_DOWN_COUNTER = "up_down_counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


def metric_name(name: str, unit: str, kind: MetricType) -> str:
    """The metric family's name; a histogram's series add ``_bucket``, ``_count`` and ``_sum``.

    ``unit`` is UCUM, and may be empty. Raises ValueError for a name of which nothing remains.
    """
    words = [word for word in re.split(r"[^a-zA-Z0-9:]+", name) if word]
    words = _with_unit(words, unit)
    if kind is MetricType.COUNTER:
        words = [*(word for word in words if word != "total"), "total"]
    # Ratios are gauges only: many libraries give the unit "1" to counters of things.
    if unit == "1" and kind is MetricType.GAUGE:
        words = [*(word for word in words if word != "ratio"), "ratio"]
    text = "_".join(words)
    if not text.strip("_"):
        raise ValueError(f"metric name {name!r} has no letter or digit")
    return "_" + text if text[0].isdigit() else text


def label_name(name: str) -> str:
    """The attribute's name as a label. Raises ValueError for one of which nothing remains."""
    text = re.sub(r"[^a-zA-Z0-9]", "_", name)
    if not text:
        raise ValueError("an attribute has no name")
    if text[0].isdigit():
        text = "key_" + text
    elif text.startswith("_") and not text.startswith("__"):
        text = "key" + text
    if not text.strip("_"):
        raise ValueError(f"attribute name {name!r} has no letter or digit")
    return text


def label_value(value: object) -> str:
    """The attribute's value as a label's: numbers as short as they go, lists and maps as JSON."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case float():
            return _float_text(value)
        case None:
            return ""
        case list() | dict():
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        case _:
            return str(value)


def bound_text(bound: float) -> str:
    """A histogram's bound as ``le``: the shortest digits that mean the number, like ``0.5``, ``1`` and ``+Inf``."""
    if math.isinf(bound):
        return "+Inf" if bound > 0 else "-Inf"
    if not bound:  # which compares equal with minus zero, so that one would be remembered for the other
        return _fixed(bound)
    return "NaN" if math.isnan(bound) else _known_bound(bound)


def _with_unit(words: list[str], unit: str) -> list[str]:
    main_text, _, per_text = unit.partition("/")
    main = _clean(_unit_word(main_text, _UNITS))
    per = _unit_word(per_text, _PER_UNITS)
    per = _clean("per_" + per).removesuffix("_") if per else ""
    if per == "per":
        per = ""
    if main in words:
        main = ""
    if per:
        main = main.removesuffix("_")
    return [*words, *(word for word in (main, per) if word)]


def _unit_word(unit: str, known: dict[str, str]) -> str:
    unit = unit.strip()
    # Braces mark an annotation, which is for people.
    return "" if "{" in unit or "}" in unit else known.get(unit, unit)


def _clean(word: str) -> str:
    return re.sub("_+", "_", re.sub(r"[^a-zA-Z0-9:]", "_", word)).removeprefix("_")


def _float_text(value: float) -> str:
    # As ECMAScript writes numbers, which the Collector's attribute values follow.
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value and not 1e-6 <= abs(value) < 1e21:
        mantissa, _, exponent = f"{Decimal(repr(value)).normalize():e}".partition("e")
        return f"{mantissa}e{int(exponent):+d}"
    return _fixed(value)


@lru_cache(maxsize=1000)
def _known_bound(bound: float) -> str:
    return _fixed(bound)  # every point of a histogram has the same few again


def _fixed(value: float) -> str:
    text = f"{Decimal(repr(value)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
