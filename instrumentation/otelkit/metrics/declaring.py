"""What a business metric may be called and made of; every problem of a declaration in one error."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from otelkit.catalog.labels import OTHER_VALUE, PROMOTED, Label
from otelkit.catalog.metrics import SECONDS_BUCKETS, Kind, Metric
from otelkit.catalog.naming import label_name, series_names
from otelkit.errors import OtelkitError
from otelkit.redaction import is_sensitive

PREFIX = "business."
"""What every name begins with, so that boards find them and no name of OpenTelemetry or of the kit is taken."""

_NAME = re.compile(r"business(\.[a-z][a-z0-9_]*)+")
_LABEL = re.compile(r"[a-z][a-z0-9_]*")
_UNIT = re.compile(r"\{[a-z][a-z0-9_ ]*\}|[a-zA-Z%][a-zA-Z0-9%/]*")
_TAKEN = {label_name(label) for label in PROMOTED} | {"le", "job", "instance", "otel_metric_overflow"}
LONGEST_NAME = 200


def declared_metric(
    name: str, kind: Kind, unit: str, help: str, labels: Mapping[str, Sequence[str]], buckets: Sequence[float] | None = None
) -> Metric:
    """The declaration as a metric of the catalogue. Raises OtelkitError with all its problems."""
    if buckets is None and kind is Kind.HISTOGRAM and unit == "s":
        buckets = SECONDS_BUCKETS
    problems = [*_of_name(name), *_of_unit(name, unit), *_of_buckets(name, kind, buckets), *_of_labels(name, labels)]
    if not isinstance(help, str) or not help.strip():
        problems.append(f"{name} needs a help text: a sentence that says what it counts.")
    if problems:
        raise OtelkitError("\n".join(problems))
    made = tuple(Label(label, f"Declared with {name}.", _with_other(values)) for label, values in labels.items())
    return Metric(name, kind, unit, help, made, tuple(map(float, buckets or ())))


def declared_twice(metric: Metric, others: Iterable[Metric]) -> None:
    """Raises OtelkitError where another declaration has the name, or a name that Prometheus spells alike."""
    mine = set(series_names(metric))
    for other in others:
        if other.name == metric.name:
            raise OtelkitError(
                f"{metric.name} is declared twice, and differently. Declare it once, in one module, and import it from there."
            )
        if not mine.isdisjoint(series_names(other)):
            raise OtelkitError(
                f"{metric.name} and {other.name} are one name in Prometheus ({', '.join(sorted(mine))}). Rename one of them."
            )


def _with_other(values: Sequence[str]) -> tuple[str, ...]:
    # A closed set has a place for what nobody thought of; an open one (empty) needs none.
    return tuple(dict.fromkeys((*values, OTHER_VALUE))) if values else ()


def _of_name(name: str) -> list[str]:
    if not isinstance(name, str) or not _NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        words = re.sub(r"[^a-z0-9]+", "_", str(name).lower().removeprefix(PREFIX)).strip("_")[:40]
        wanted = 'small letters, digits and _ in words that are joined by dots, the first of them "business"'
        return [f'{name!r} is not a name for a business metric: {wanted}. Try "{PREFIX}{words or "orders"}".']
    return []


def _of_unit(name: str, unit: str) -> list[str]:
    if not isinstance(unit, str) or not _UNIT.fullmatch(unit):
        wanted = "what is counted in braces, like {order}, or a unit of UCUM, like s or By"
        return [f"{name}: the unit is {unit!r}; it must be {wanted}."]
    return []


def _of_buckets(name: str, kind: Kind, buckets: Sequence[float] | None) -> list[str]:
    if kind is not Kind.HISTOGRAM:
        return []
    if not buckets:
        return [f"{name} needs buckets: the upper bounds that matter, in its unit, like buckets=(10, 50, 100)."]
    if any(type(bound) not in (int, float) for bound in buckets) or list(buckets) != sorted(set(buckets)):
        return [f"{name}: buckets must be rising numbers; they are {tuple(buckets)!r}."]
    return []


def _of_labels(name: str, labels: Mapping[str, Sequence[str]]) -> list[str]:
    if not isinstance(labels, Mapping):
        return [f'{name}: labels must be a dictionary of names and their values, like {{"channel": ("web", "app")}}; it is {labels!r}.']
    problems = []
    for label, values in labels.items():
        if not isinstance(label, str) or not _LABEL.fullmatch(label):
            problems.append(f"{name}: {label!r} is not a name for a label; use small letters, digits and _, like channel.")
        elif label in _TAKEN:
            problems.append(f"{name}: every series has the label {label} already; choose another name.")
        elif is_sensitive(label):
            problems.append(
                f"{name}: the label {label} is called like a secret, which must not leave the process; rename it or leave it out."
            )
        if isinstance(values, str) or not isinstance(values, Sequence) or not all(isinstance(value, str) for value in values):
            problems.append(f'{name}: the values of {label} must be a list of texts, like ("web", "app"), or () for any; it is {values!r}.')
    return problems
