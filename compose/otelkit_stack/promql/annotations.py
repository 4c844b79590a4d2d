"""What Prometheus says beside an answer: warnings, that it may be wrong; infos, that the query may be."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from otelkit_stack.go_text import general, quoted
from otelkit_stack.promql.tokens import position

_WARNING, _INFO = "PromQL warning: ", "PromQL info: "
_MONOTONICITY_PAGE = "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile"


@dataclass(slots=True)
class _Repairs:
    """All repairs of the counts of one metric's histograms."""

    start: int
    times: list[int] = field(default_factory=list)
    lowest_bound: float = math.inf
    highest_bound: float = -math.inf
    largest_fall: float = 0.0


class Annotations:
    """Collects annotations; the same text is said once, about the last place that it was said of."""

    def __init__(self) -> None:
        self._warnings: dict[str, int] = {}
        self._infos: dict[str, int | _Repairs] = {}

    def invalid_quantile(self, ratio: float, start: int) -> None:
        """A ratio that is no share."""
        self._warnings[f"{_WARNING}quantile value should be between 0 and 1, got {general(ratio)}"] = start

    def bad_bucket_label(self, metric: str, text: str, start: int) -> None:
        """A series among buckets whose bound is no number."""
        reason = f'bucket label "le" is missing or has a malformed value of {quoted(text)}'
        self._warnings[_WARNING + _about(reason, metric)] = start

    def sort_in_range(self, start: int) -> None:
        """Sorting where the answer is ordered by labels anyway."""
        self._warnings[f"{_WARNING}sort is ineffective for range queries since results are always ordered by labels"] = start

    def possible_non_counter(self, metric: str, start: int) -> None:
        """A rate of something that is not called like a counter."""
        reason = "metric might not be a counter, name does not end in _total/_sum/_count/_bucket:"
        self._infos[f"{_INFO}{reason} {quoted(metric)}"] = start

    def incompatible_types(self, operator: str, start: int) -> None:
        """An operator that means nothing for numbers."""
        reason = f"incompatible sample types encountered for binary operator {quoted(operator)}: float {operator} float"
        self._infos[_INFO + reason] = start

    def forced_monotonicity(self, metric: str, start: int, time_ms: int, repair: tuple[float, float, float]) -> None:
        """Counts of a histogram that fell: lowest and highest bound that was concerned, and the largest fall."""
        reason = f"input to histogram_quantile needed to be fixed for monotonicity (see {_MONOTONICITY_PAGE})"
        known = self._infos.setdefault(_INFO + _about(reason, metric), _Repairs(start))
        assert isinstance(known, _Repairs)
        known.times.append(time_ms)
        known.lowest_bound = min(known.lowest_bound, repair[0])
        known.highest_bound = max(known.highest_bound, repair[1])
        known.largest_fall = max(known.largest_fall, repair[2])

    def warnings(self, query: str) -> list[str]:
        """The warnings, each with its place in the query."""
        return [f"{text} ({position(query, start)})" for text, start in self._warnings.items()]

    def infos(self, query: str) -> list[str]:
        """The infos, each with its place in the query."""
        return [self._info(text, place, query) for text, place in self._infos.items()]

    def _info(self, text: str, place: int | _Repairs, query: str) -> str:
        if isinstance(place, int):
            return f"{text} ({position(query, place)})"
        bounds = f"from buckets {general(place.lowest_bound)} to {general(place.highest_bound)}"
        fall = f"with a max diff of {place.largest_fall:.2g}"
        span = f"over {len(place.times)} samples from {_moment(min(place.times))} to {_moment(max(place.times))}"
        return f"{text}, {bounds}, {fall}, {span} ({position(query, place.start)})"


def _about(reason: str, metric: str) -> str:
    return f"{reason} for metric name {quoted(metric)}" if metric else reason


def _moment(time_ms: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=time_ms // 1000)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
