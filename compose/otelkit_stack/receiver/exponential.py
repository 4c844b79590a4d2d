"""Exponential histograms as classic ones, their buckets joined until the bounds are powers of two.

That loses resolution (a factor of two between bounds) and no count: a bucket of any finer scale lies within one of scale 0.
Source: OTLP's ``ExponentialHistogramDataPoint``. At scale ``s`` the bucket ``i`` holds values above ``base**i`` up to ``base**(i+1)``,
``base`` being ``2**(2**-s)``.
"""

from __future__ import annotations

import math
from collections import Counter

from opentelemetry.proto.metrics.v1.metrics_pb2 import ExponentialHistogramDataPoint

_LARGEST_EXPONENT = 1023  # of a double; what lies above is in +Inf


def cumulative_buckets(point: ExponentialHistogramDataPoint) -> list[tuple[float, int]]:
    """Pairs of an upper bound and the number of values up to it, rising; the bucket without a bound is left out."""
    at_bound: Counter[float] = Counter()
    for bound, count in _bounded(point.scale, point.negative, is_negative=True):
        at_bound[bound] += count
    if point.zero_count:
        at_bound[point.zero_threshold] += point.zero_count
    for bound, count in _bounded(point.scale, point.positive, is_negative=False):
        at_bound[bound] += count
    total, pairs = 0, []
    for bound in sorted(at_bound):
        total += at_bound[bound]
        if math.isfinite(bound):
            pairs.append((bound, total))
    return pairs


def _bounded(scale: int, buckets: ExponentialHistogramDataPoint.Buckets, *, is_negative: bool) -> list[tuple[float, int]]:
    found = []
    for position, count in enumerate(buckets.bucket_counts):
        if count:
            index = buckets.offset + position
            # The exponents of the two powers of two around the bucket; a negative scale's bucket spans several.
            low, high = (index >> scale, (index >> scale) + 1) if scale >= 0 else (index << -scale, (index + 1) << -scale)
            found.append((-_power(low) if is_negative else _power(high), count))
    return found


def _power(exponent: int) -> float:
    return math.inf if exponent > _LARGEST_EXPONENT else math.ldexp(1.0, max(exponent, -1074))
