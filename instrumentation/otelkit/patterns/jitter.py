"""How long a retry waits: anything up to a bound that doubles, so that those who failed together do not come back together.

Source: "Exponential Backoff And Jitter", AWS Architecture Blog ("full jitter").
"""

from __future__ import annotations

import random


def full_jitter(attempt: int, base: float, cap: float) -> float:
    """Seconds to wait after the attempt of this number, the first being 1: between 0 and ``base * 2 ** (attempt - 1)``, at most ``cap``."""
    return random.uniform(0, min(cap, base * 2 ** min(attempt - 1, 64)))  # noqa: S311  (spreads load, hides nothing)
