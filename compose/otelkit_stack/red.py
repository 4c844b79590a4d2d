"""Rate, errors and duration from the SERVER spans of a window."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from otelkit_stack.records import ServiceRed


def red_of(service: str, errors: int, durations_ns: npt.NDArray[np.int64], window_s: float) -> ServiceRed:
    """The line of a service that was asked as often as there are durations, which is at least once."""
    ordered = np.sort(durations_ns)
    return ServiceRed(
        service=service,
        requests=len(ordered),
        errors=errors,
        rate=len(ordered) / window_s,
        error_ratio=errors / len(ordered),
        p50_s=quantile(ordered, 0.5) / 1e9,
        p95_s=quantile(ordered, 0.95) / 1e9,
    )


def quantile(values: Sequence[float] | npt.NDArray[np.int64], share: float) -> float:
    """The value below which ``share`` (0 to 1) of the sorted, non-empty values lie, linear between two neighbours."""
    place = share * (len(values) - 1)
    below = int(place)
    above = min(below + 1, len(values) - 1)
    return float(values[below] + (values[above] - values[below]) * (place - below))
