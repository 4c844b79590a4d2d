"""Names of labels that come out of lines."""

from __future__ import annotations

import re


def sanitized(name: str, *, is_first: bool = True) -> str:
    """The name as Loki makes a label of it: what no label may hold becomes ``_``."""
    name = name.strip()
    if is_first and name[:1].isdigit():
        name = f"_{name}"
    return re.sub(r"[^a-zA-Z0-9_]", "_", name)
