"""Writes what became of each test to a file, a JSON object a line, from whichever process it ran in."""

from __future__ import annotations

import json
import os

VARIABLE = "OTELKIT_SUITE_OUTCOMES"
"""Names the file."""


def write(test: str, outcome: str, *, part: str = "", detail: str = "") -> None:
    """``outcome`` is passed, failed, error, skipped, xfailed or xpassed; ``part`` names a subtest; ``detail`` says why it failed."""
    _append({"test": test, "part": part, "outcome": outcome, "detail": detail})


def complain(words: str) -> None:
    """What the kit itself logged as a warning or an error: it protects the application from its own failures, so no test shows them."""
    _append({"complaint": words})


def end() -> None:
    """The suite ran to its end."""
    _append({"ended": True})


def _append(entry: dict[str, object]) -> None:
    path = os.environ.get(VARIABLE)
    if path is None:
        return
    # One write of one line: several processes append to the file, and tests replace open() and the like.
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(file, json.dumps(entry).encode() + b"\n")
    finally:
        os.close(file)
