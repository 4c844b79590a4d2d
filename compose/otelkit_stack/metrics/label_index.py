"""Which series have which labels: for each label and value the ids of the series that carry it.

A matcher that also matches the empty text matches series without the label, as in Prometheus.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from sys import intern

from otelkit_stack.selectors.matchers import Matcher

METRIC_NAME = "__name__"


@dataclass
class LabelIndex:
    """Series by their labels, ``__name__`` among them. Safe to use from several threads."""

    _labels: dict[int, Mapping[str, str]] = field(default_factory=dict)
    _ids: dict[str, dict[str, set[int]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __len__(self) -> int:
        return len(self._labels)

    def __contains__(self, series_id: int) -> bool:
        return series_id in self._labels

    def unknown(self, series_ids: Iterable[int]) -> list[int]:
        """Those of the ids that are not here."""
        known = self._labels
        return [series_id for series_id in series_ids if series_id not in known]

    def add(self, series_id: int, labels: Mapping[str, str]) -> None:
        """Enters a series; one that is known already stays as it is."""
        with self._lock:
            if series_id in self._labels:
                return
            kept = {intern(name): intern(value) for name, value in sorted(labels.items())}
            self._labels[series_id] = kept
            for name, value in kept.items():
                self._ids.setdefault(name, {}).setdefault(value, set()).add(series_id)

    def remove(self, series_ids: Iterable[int]) -> None:
        """Takes series out again."""
        with self._lock:
            for series_id in series_ids:
                for name, value in self._labels.pop(series_id, {}).items():
                    ids = self._ids[name][value]
                    ids.discard(series_id)
                    if not ids:
                        del self._ids[name][value]
                        if not self._ids[name]:
                            del self._ids[name]

    def labels(self, series_id: int) -> Mapping[str, str]:
        """The labels of a series, sorted by name. Raises KeyError for one that is not here."""
        return self._labels[series_id]

    def select(self, matchers: Iterable[Matcher]) -> set[int]:
        """The series that fit every matcher; all of them for none."""
        with self._lock:
            # Matchers that name what must be there cut the number down first.
            ordered = sorted(matchers, key=lambda matcher: (matcher.operator != "=" or not matcher.value, matcher.matches("")))
            found: set[int] | None = None
            for matcher in ordered:
                found = self._narrowed(found, matcher)
                if not found:
                    return set()
            return set(self._labels) if found is None else found

    def _narrowed(self, found: set[int] | None, matcher: Matcher) -> set[int]:
        values = self._ids.get(matcher.name, {})
        if matcher.operator == "=" and matcher.value:
            fitting = values.get(matcher.value, set())
            return set(fitting) if found is None else found & fitting
        if matcher.matches(""):
            refused: set[int] = set().union(*(ids for value, ids in values.items() if not matcher.matches(value)))
            return (set(self._labels) if found is None else found) - refused
        fitting = set().union(*(ids for value, ids in values.items() if matcher.matches(value)))
        return fitting if found is None else found & fitting

    def names(self, series_ids: Iterable[int] | None = None) -> list[str]:
        """Label names, sorted: of the given series, or of all."""
        with self._lock:
            if series_ids is None:
                return sorted(self._ids)
            return sorted({name for series_id in series_ids for name in self._labels.get(series_id, ())})

    def values(self, name: str, series_ids: Iterable[int] | None = None) -> list[str]:
        """Values of a label, sorted: of the given series, or of all."""
        with self._lock:
            if series_ids is None:
                return sorted(self._ids.get(name, ()))
            return sorted({labels[name] for series_id in series_ids if name in (labels := self._labels.get(series_id, {}))})
