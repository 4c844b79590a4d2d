"""One arena for the C library's memory. Otherwise each thread gets one of its own, and what is freed in it no other thread gets.

The threads take turns at Python's lock anyway, so they would not allocate side by side.
"""

from __future__ import annotations

import ctypes

_M_ARENA_MAX = -8
"""Of glibc's <malloc.h>."""


def keep_to_one_arena() -> None:
    """Call it before threads are started. Does nothing where the C library has no such choice (macOS, musl)."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)
