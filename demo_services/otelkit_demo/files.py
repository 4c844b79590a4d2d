"""Files that other processes read while they are written."""

from __future__ import annotations

import tempfile
from pathlib import Path


def replace_file(path: Path, text: str) -> None:
    """Write the whole file in one step, so that nobody reads half of it. Raises OSError."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.stem}-", delete=False) as fresh:
        fresh.write(text)
    Path(fresh.name).replace(path)
