"""From what a caller passes as labels to one of a bounded set of label values. Never raises by itself, whatever it is given."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from otelkit.catalog.labels import OTHER_VALUE
from otelkit.catalog.metrics import Metric
from otelkit.metrics.aggregator import LabelValues
from otelkit.redaction import redact_text

LONGEST_VALUE = 128
"""Characters of a label value; longer ones are cut."""

_REMEMBERED = 4096


class LabelReader:
    """Reads the labels of one metric. ``complain`` takes the kind of a mistake and a sentence about it."""

    __slots__ = ("_clean", "_complain", "_labels", "_metric", "_names")

    def __init__(self, metric: Metric, complain: Callable[[str, str], None]) -> None:
        self._metric = metric
        self._complain = complain
        self._labels = tuple((label.name, frozenset(label.values)) for label in metric.labels)
        self._names = frozenset(label.name for label in metric.labels)
        self._clean: dict[str, str] = {}

    def read(self, given: Mapping[str, object]) -> LabelValues:
        """One value per label of the metric; None where the caller left one out."""
        if given.keys() != self._names:
            self._complain_names(given)
        return tuple(self._value(name, known, given[name]) if name in given else None for name, known in self._labels)

    def _value(self, name: str, known: frozenset[str], value: object) -> str | None:
        if value is None:
            return None
        text = value if type(value) is str else _text(value)
        if not known:
            return self._cleaned(text)
        if text in known:
            return text
        self._complain(
            f"value of {name}",
            f"{self._metric.name} was given a value of {name} that it does not declare, and counts it as {OTHER_VALUE}. "
            f"Declared are {', '.join(sorted(known - {OTHER_VALUE}))}; add it to the declaration if it belongs there.",
        )
        return OTHER_VALUE

    def _cleaned(self, text: str) -> str:
        """An open label's text without secrets; remembered, because a scan costs more than the recording."""
        clean = self._clean.get(text)
        if clean is None:
            clean = redact_text(text)[:LONGEST_VALUE].encode("utf-8", "replace").decode("utf-8")
            if len(self._clean) < _REMEMBERED and len(text) <= LONGEST_VALUE:
                self._clean[text] = clean
        return clean

    def _complain_names(self, given: Mapping[str, object]) -> None:
        unknown, missing = sorted(given.keys() - self._names), sorted(self._names - given.keys())
        said = [f"does not have the label {name}" for name in unknown] + [f"was not given its label {name}" for name in missing]
        has = ", ".join(sorted(self._names)) or "no labels"
        self._complain("names", f"{self._metric.name} {' and '.join(said)}; it has {has}.")


def _text(value: object) -> str:
    try:  # around it all: of a lazy object, even isinstance() may raise
        if isinstance(value, bool):
            return "true" if value else "false"
        if not isinstance(value, str) and isinstance(value, Collection | memoryview):
            return OTHER_VALUE  # no list or dictionary is a label, and writing a large one out takes for ever
        return "".join((str(value),))  # a plain str, also from a subclass that has its own ideas of length or equality
    except Exception:  # noqa: BLE001  (anything may stand in a label, also an object whose __str__ is broken)
        return OTHER_VALUE
