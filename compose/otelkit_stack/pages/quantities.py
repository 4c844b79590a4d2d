"""Numbers for people."""

from __future__ import annotations


def duration_text(seconds: float) -> str:
    """Three digits and a unit: ``1.23 s``, ``45.6 ms``, ``789 µs``."""
    for size, unit in ((1.0, "s"), (1e-3, "ms")):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}" if seconds < 1000 else f"{seconds:.0f} s"
    return f"{seconds * 1e6:.3g} µs"


def rate_text(per_second: float) -> str:
    """Two decimals, more for the rare: ``12.30``, ``0.0042``."""
    return f"{per_second:.2f}" if per_second >= 0.01 else f"{per_second:.2g}"


def percent_text(ratio: float) -> str:
    """A ratio of 0 to 1 as percent: ``0 %``, ``2.5 %``."""
    return f"{ratio * 100:.3g} %"
