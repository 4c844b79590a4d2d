"""Prometheus' own PromQL test scripts pass, but for what the embedded stack does not keep: native histograms, experiments."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.last_lines import LAST_LINES
from tests.stack.promql.script_runner import ScriptRunner, main, script_files

FILES = script_files()
ABSENT = pytest.mark.skip(reason="Prometheus' scripts are not here: ../shared/promqltest, or the folder in OTELKIT_SHARED")


@pytest.mark.parametrize("file", [pytest.param(file, id=file.name) for file in FILES] or [pytest.param(Path(), id="none", marks=ABSENT)])
def test_every_case_in_scope_passes(file: Path, pytestconfig: pytest.Config) -> None:
    report = ScriptRunner().run(file.name, file.read_text())
    pytestconfig.stash[LAST_LINES].add(f"PromQL script {report.line()}")
    assert report.failures == []
    assert report.passed > 0


SCRIPT = """
load 1m
  metric{label="a"} 1+1x10
  native {{schema:0 sum:1 count:1 buckets:[1]}}

eval instant at 10m metric
  metric{label="a"} 11

eval instant at 10m metric
  metric{label="a"} 12

eval instant at 10m metric
  expect no_info
  expect fail

eval instant at 10m native
  native {{schema:0 sum:1 count:1 buckets:[1]}}

eval instant at 10m count(native)
  {} 1

eval instant at 10m limitk(1, metric)
  metric{label="a"} 11

eval range from 0 to 2m step 1m rate(metric[2m])
  expect info msg: PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "metric" (1:6)
  {label="a"} _ 0.016666667 0.016666667
"""


def test_a_case_that_fails_is_told_from_one_that_passes_and_from_one_that_is_out_of_scope(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "own.test"
    script.write_text(SCRIPT)
    assert main([str(script)]) == 1
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "own.test: 2 passed, 2 failed, 3 skipped (1 experimental, 2 native histograms)"
    assert printed[1] == "  own.test:9: metric"
    assert "gave 11.0" in printed[2]
    assert "was to fail" in printed[4]
