"""What a run says at its end, in however many processes its tests ran."""

from __future__ import annotations

import pytest

LAST_LINES = pytest.StashKey[set[str]]()
"""In the stash of pytest's configuration. Printed in the order of the alphabet, each once."""
