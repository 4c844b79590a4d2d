"""Files beside the project are found where OTELKIT_SHARED says, under pytest too."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_scripts_are_collected_from_the_folder_in_the_variable(tmp_path: Path) -> None:
    (tmp_path / "promqltest").mkdir()
    (tmp_path / "promqltest" / "made_up.test").write_text("eval instant at 0 1\n  1\n")
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "tests/stack/promql/test_scripts.py"]
    environment = {name: value for name, value in os.environ.items() if name != "TESTS_SHARED"} | {"OTELKIT_SHARED": str(tmp_path)}
    collected = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=120)
    assert "test_every_case_in_scope_passes[made_up.test]" in collected.stdout
