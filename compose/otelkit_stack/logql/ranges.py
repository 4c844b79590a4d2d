"""Numbers made of the lines of a window: ``rate``, ``sum_over_time`` and the others.

A window ends at its step and does not hold its beginning, as in Loki.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from otelkit_stack.logql.frames import Present, Values

Times = npt.NDArray[np.int64]
Reduce = Callable[[Values], float]


def over_windows(
    function: str, times: Times, values: Values, steps: Times, window_ns: int, parameter: float | None
) -> tuple[Values, Present]:
    """The function's value at each step, and where there is one. ``times`` rise; ``steps`` are the ends of the windows."""
    first = np.searchsorted(times, steps - window_ns, "right")
    last = np.searchsorted(times, steps, "right")
    present = last > first
    seconds = window_ns / 1e9
    if function in ("count_over_time", "rate", "bytes_over_time", "bytes_rate", "sum_over_time", "sum_rate"):
        per = seconds if function.endswith("rate") else 1.0
        return _sums(function, values, first, last) / per, present
    result = np.zeros(len(steps))
    for at in np.flatnonzero(present):
        inside = slice(first[at], last[at])
        if function == "rate_counter":
            result[at] = _rate(times[inside], values[inside], int(steps[at]), window_ns)
        elif function == "quantile_over_time":
            result[at] = quantile(parameter or 0.0, values[inside])
        else:
            result[at] = _REDUCTIONS[function](values[inside])
    return result, present


def _sums(function: str, values: Values, first: Times, last: Times) -> Values:
    if function in ("count_over_time", "rate"):
        return (last - first).astype(np.float64)
    if np.all(values == np.floor(values)) and np.abs(values).sum() < 2**53:  # whole numbers add up exactly in any order
        total = np.concatenate(([0.0], np.cumsum(values)))
        return np.asarray(total[last] - total[first])
    return np.array([values[low:high].sum() if high > low else 0.0 for low, high in zip(first, last, strict=True)])


def quantile(q: float, values: Values) -> float:
    """Between the values, as Prometheus reckons; outside 0 to 1 infinite."""
    if not len(values):
        return float("nan")
    if q < 0:
        return float("-inf")
    if q > 1:
        return float("inf")
    return float(np.quantile(values, q))


_REDUCTIONS: dict[str, Reduce] = {
    "avg_over_time": lambda values: float(values.mean()),
    "min_over_time": lambda values: float(values.min()),
    "max_over_time": lambda values: float(values.max()),
    "stddev_over_time": lambda values: float(values.std()),
    "stdvar_over_time": lambda values: float(values.var()),
    "first_over_time": lambda values: float(values[0]),
    "last_over_time": lambda values: float(values[-1]),
}


def _rate(times: Times, values: Values, end_ns: int, window_ns: int) -> float:
    """Prometheus' rate of a counter, resets and extrapolation included; of a single sample zero."""
    if len(times) < 2:
        return 0.0
    resets = values[:-1][values[1:] < values[:-1]].sum()
    growth = float(values[-1] - values[0] + resets)
    to_start = float(times[0] - (end_ns - window_ns)) / 1e9
    to_end = float(end_ns - times[-1]) / 1e9
    sampled = float(times[-1] - times[0]) / 1e9
    between = sampled / (len(times) - 1)
    if growth > 0 and values[0] >= 0:
        to_start = min(to_start, sampled * float(values[0]) / growth)
    extrapolated = sampled
    extrapolated += to_start if to_start < between * 1.1 else between / 2
    extrapolated += to_end if to_end < between * 1.1 else between / 2
    return growth * (extrapolated / sampled) / (window_ns / 1e9)
