"""The benchmark of traces runs, and its questions have answers. What the numbers are is no test: they belong to a machine."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.benchmarks.traces import QUERIES, answered, filled, main


def test_a_quick_run_prints_a_row_for_each_question(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--quick"])
    filled_, head, _, *rows = capsys.readouterr().out.splitlines()
    assert filled_.startswith("1000 spans")
    assert head == "| question | found | ms | ms of the processor |"
    assert len(rows) == len(QUERIES) + 2


def test_every_question_but_the_one_for_nothing_has_an_answer(tmp_path: Path) -> None:
    end_ns = time.time_ns()
    file, _ = filled(tmp_path, 20_000, end_ns)
    assert [query for query in QUERIES if not answered(file, query, end_ns)] == ["{ .nothing = 1 }"]
