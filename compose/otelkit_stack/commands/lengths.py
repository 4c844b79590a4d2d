"""Lengths of time on the command line."""

from __future__ import annotations

import argparse

from otelkit_stack.promql import durations


def length_s(text: str) -> float:
    """Seconds of ``90s``, ``1h`` or ``7d``. Raises argparse's error for what is no length of time."""
    try:
        seconds = durations.seconds(durations.parse(text))
    except ValueError:
        seconds = 0.0
    if seconds < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no length of time from 1s up, such as 90s, 12h or 7d")
    return seconds
