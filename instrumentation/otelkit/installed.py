"""Whether a package is there, without importing it."""

from __future__ import annotations

import sys
from importlib.util import find_spec


def is_installed(module: str) -> bool:
    """Whether the module can be imported. The packages that it is in are imported to find out; it is not."""
    if sys.modules.get(module) is not None:
        return True  # kombu stands there without a spec
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):  # a parent is missing; a module that somebody made by hand
        return False
