"""The backends' own checkers, for tests marked ``backends``."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping

from tests.backends import program


def accepted(name: str, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
    """What the program printed when it ended with 0. Skips where it is not installed, fails with its words where it refuses."""
    command = [program(name), *arguments]
    run = subprocess.run(command, check=False, env={**os.environ, **(environment or {})}, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, f"{name} ended with {run.returncode}:\n{run.stdout}{run.stderr}"
    return run.stdout + run.stderr
