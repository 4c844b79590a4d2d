"""A test that takes its process with it fails by name, and the others run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_a_process_that_dies_costs_one_test(tmp_path: Path):
    for number in range(6):
        (tmp_path / f"test_{number}.py").write_text("".join(f"def test_{n}(): pass\n" for n in range(4)))
    (tmp_path / "test_3.py").write_text("import os\ndef test_0(): pass\ndef test_1(): os.abort()\ndef test_2(): pass\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    command = ["-m", "pytest", "-p", "tests.side_by_side", "-p", "no:randomly", "-p", "no:cacheprovider", "-p", "no:schemathesis"]
    side_by_side = ["--numprocesses", "2", "--dist", "loadfile", str(tmp_path)]
    run = subprocess.run([sys.executable, *command, *side_by_side], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert re.search(r"FAILED \S*test_3\.py::test_1\b", run.stdout)
    assert "1 failed, 22 passed" in run.stdout
