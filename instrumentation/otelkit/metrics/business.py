"""Business metrics: what the project counts, declared once, at import time, before anything runs.

While the kit is off, recording is one comparison and does nothing. While it runs, every value becomes one of a bounded set, and nothing
that a caller passes can raise: what cannot be right is mended, and said once in the log - or raised, where the setting ``metrics.strict``
asks for it, as a test wants.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from decimal import Decimal
from math import inf, isfinite
from threading import Lock
from typing import TypeVar

from opentelemetry import trace

from otelkit.catalog.labels import Label
from otelkit.catalog.metrics import Kind, Metric
from otelkit.errors import OtelkitError
from otelkit.metrics import aggregator as a
from otelkit.metrics.declaring import declared_metric, declared_twice
from otelkit.metrics.label_values import LabelReader

logger = logging.getLogger("otelkit.metrics")

LabelSets = Mapping[str, Sequence[str]]
"""The labels of a metric and the values each may have; an empty list of values leaves the label open, and its series capped."""


class _Recorder:
    """What counter, gauge and histogram have in common: a declaration, the labels' reader, and the complaints."""

    __slots__ = ("_complained", "_labels", "metric")

    def __init__(self, metric: Metric) -> None:
        self.metric = metric
        self._labels = LabelReader(metric, self._complain)
        self._complained: set[str] = set()

    def _complain(self, kind: str, message: str) -> None:
        """Once for each kind of mistake; raises OtelkitError where the kit is strict."""
        if _bound.strict:
            raise OtelkitError(message)
        if kind not in self._complained:
            self._complained.add(kind)
            logger.warning("%s (said once for %s)", message, self.metric.name)

    def _amount(self, given: object, *, least: float = -inf) -> float | None:
        """The number as a float, or None, with a complaint, for what is none or too small. Money comes as Decimal."""
        try:
            if isinstance(given, int | float | Decimal) and not isinstance(given, bool):
                amount = float(given)
                if isfinite(amount) and amount >= least:
                    return amount
        except Exception:  # noqa: BLE001, S110  (larger than any float, no number, or a lazy object that raises when one looks)
            pass
        wanted = "a number" if least == -inf else "a number that is not negative"
        self._complain("amount", f"{self.metric.name} takes {wanted}; a {type(given).__name__} that is none was not counted.")
        return None


class BusinessCounter(_Recorder):
    """Counts things that happen."""

    __slots__ = ("_instrument",)

    def __init__(self, metric: Metric) -> None:
        super().__init__(metric)
        self._instrument: a.Counter | None = None

    def add(self, amount: float | Decimal = 1, /, **labels: object) -> None:
        """Counts ``amount`` more, in the metric's unit."""
        instrument = self._instrument
        if instrument is not None and (counted := self._amount(amount, least=0)) is not None:
            instrument.add(counted, self._labels.read(labels))

    def bind(self, aggregator: a.Aggregator | None) -> None:
        """Records into this aggregator from now on; None switches it off."""
        self._instrument = aggregator.counter(self.metric) if aggregator else None


class BusinessGauge(_Recorder):
    """Holds the newest value of something that goes up and down."""

    __slots__ = ("_instrument",)

    def __init__(self, metric: Metric) -> None:
        super().__init__(metric)
        self._instrument: a.Gauge | None = None

    def set(self, value: float | Decimal, /, **labels: object) -> None:
        """Replaces the value, in the metric's unit. Every worker reports its own: take the largest or the newest of them, not their sum."""
        instrument = self._instrument
        if instrument is not None and (newest := self._amount(value)) is not None:
            instrument.set(newest, self._labels.read(labels))

    def bind(self, aggregator: a.Aggregator | None) -> None:
        """Records into this aggregator from now on; None switches it off."""
        self._instrument = aggregator.gauge(self.metric) if aggregator else None


class BusinessHistogram(_Recorder):
    """Sorts observations into buckets; the span in which one was made becomes its exemplar."""

    __slots__ = ("_instrument",)

    def __init__(self, metric: Metric) -> None:
        super().__init__(metric)
        self._instrument: a.Histogram | None = None

    def record(self, value: float | Decimal, /, **labels: object) -> None:
        """Adds one observation, in the metric's unit."""
        instrument = self._instrument
        if instrument is not None and (observed := self._amount(value)) is not None:
            instrument.record(observed, self._labels.read(labels), trace.get_current_span().get_span_context())

    def bind(self, aggregator: a.Aggregator | None) -> None:
        """Records into this aggregator from now on; None switches it off."""
        self._instrument = aggregator.histogram(self.metric) if aggregator else None


Business = BusinessCounter | BusinessGauge | BusinessHistogram
_B = TypeVar("_B", BusinessCounter, BusinessGauge, BusinessHistogram)


class _Bound:
    """What the declared metrics record into; None while the kit is off."""

    aggregator: a.Aggregator | None = None
    strict: bool = False


_bound = _Bound()
_declared: dict[str, Business] = {}
_of_patterns: list[Business] = []
_observed: dict[Metric, a.Observe] = {}
_declaring = Lock()


def counter(name: str, *, unit: str, help: str, labels: LabelSets | None = None) -> BusinessCounter:
    """Declares a counter of things that happen, in the unit ``{order}`` for things or ``s``, ``By``, ... for amounts.

    ``name`` begins with ``business.``; ``labels`` names each label and its values. A counter whose labels are all closed shows zeros from
    the start. Declaring the same again gives the same counter. Raises OtelkitError for what cannot be declared, with all problems.
    """
    return _declare(BusinessCounter, declared_metric(name, Kind.COUNTER, unit, help, labels or {}))


def gauge(name: str, *, unit: str, help: str, labels: LabelSets | None = None) -> BusinessGauge:
    """Declares the newest value of something that goes up and down. See :func:`counter`."""
    return _declare(BusinessGauge, declared_metric(name, Kind.GAUGE, unit, help, labels or {}))


def histogram(
    name: str, *, unit: str, help: str, labels: LabelSets | None = None, buckets: Sequence[float] | None = None
) -> BusinessHistogram:
    """Declares observations that are sorted into ``buckets``: upper bounds in the unit, rising; needed unless the unit is ``s``.

    See :func:`counter`.
    """
    return _declare(BusinessHistogram, declared_metric(name, Kind.HISTOGRAM, unit, help, labels or {}, buckets))


def _declare(kind: type[_B], metric: Metric) -> _B:
    with _declaring:
        known = _declared.get(metric.name)
        if known is not None and known.metric == metric and isinstance(known, kind):
            return known
        declared_twice(metric, [other.metric for other in _declared.values()])
        made = kind(metric)
        made.bind(_bound.aggregator)
        _declared[metric.name] = made
        return made


def recorder(kind: type[_B], metric: Metric) -> _B:
    """What a pattern records a metric of the catalogue with: free while the kit is off, bounded and mended like a declared one."""
    with _declaring:
        made = kind(metric)
        made.bind(_bound.aggregator)
        _of_patterns.append(made)
        return made


def observed(metric: Metric, observe: a.Observe) -> None:
    """Asks ``observe`` for the values of a metric of the catalogue whenever a running kit collects. It must not raise."""
    with _declaring:
        _observed[metric] = observe
        if _bound.aggregator is not None:
            _bound.aggregator.observe(metric, observe)


def declared() -> tuple[Metric, ...]:
    """Every business metric that this process has declared so far, by name."""
    return tuple(_declared[name].metric for name in sorted(_declared))


def switch_on(aggregator: a.Aggregator, *, strict: bool) -> None:
    """Lets what is declared, now or later, record into the aggregator. With ``strict``, mistakes raise OtelkitError."""
    with _declaring:
        _bound.aggregator, _bound.strict = aggregator, strict
        for each in (*_declared.values(), *_of_patterns):
            each.bind(aggregator)
        for metric, observe in _observed.items():
            aggregator.observe(metric, observe)


def switch_off() -> None:
    """Records nothing any more."""
    with _declaring:
        _bound.aggregator, _bound.strict = None, False
        for each in (*_declared.values(), *_of_patterns):
            each.bind(None)


def labels_of(metric: Metric) -> str:
    """The labels of a declared metric in words, for ``otelkit status``."""
    return ", ".join(_label_text(label) for label in metric.labels) or "no labels"


def _label_text(label: Label) -> str:
    return f"{label.name} = {' | '.join(label.values) if label.values else 'any, capped'}"
