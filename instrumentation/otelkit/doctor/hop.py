"""What is said about one hop."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How it went. Only FAIL changes the exit code."""

    PASS = "pass"  # noqa: S105  (no password)
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"
    """It cannot be asked, or has nothing to do in this project."""


@dataclass(frozen=True, slots=True)
class Hop:
    """One result. ``fix`` is what to do about it, where something is to be done."""

    name: str
    outcome: Outcome
    detail: str
    fix: str = ""
