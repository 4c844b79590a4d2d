"""Buckets of powers of two: how Tempo tells quantiles and draws histograms."""

from __future__ import annotations

import math
from collections.abc import Mapping

from otelkit_stack.traceql.values import Duration, Value


def bucket_of(value: Value) -> float | None:
    """The upper bound of the value's bucket, of a duration in seconds; None for what has none, such as a float."""
    if type(value) not in (int, Duration) or value < 2:  # type: ignore[operator] # these are numbers
        return None
    bound = 1 << (int(value) - 1).bit_length()  # type: ignore[arg-type]
    return bound / 1e9 if isinstance(value, Duration) else float(bound)


def quantile(of: float, buckets: Mapping[float, int]) -> float:
    """The value below which that part of the counts lies, between two bounds by their logarithm; 0 where nothing was counted."""
    total = sum(buckets.values())
    if not total:
        return 0.0
    wanted = max(1, math.ceil(of * total))
    seen, below = 0, None
    for bound, count in sorted(buckets.items()):
        if seen + count == wanted:
            return bound
        if seen + count > wanted:
            upper = math.log2(bound)
            lower = upper - 1 if below is None else math.log2(below)
            return float(2 ** (lower + (upper - lower) * (wanted - seen) / count))
        seen, below = seen + count, bound
    return max(buckets)
