"""The benchmark runs and its table is whole. What the numbers are is no test: they belong to a machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.measuring import Cost, environment, microseconds, read_counts
from tests.benchmarks.requests import main
from tests.benchmarks.subjects import BARE, SUBJECTS, UPSTREAM, Subject
from tests.benchmarks.table import table

pytest.importorskip("django_prometheus", reason="what we measure beside is not installed: pip install 'otelkit[dev]'")
pytest.importorskip("opentelemetry.instrumentation.django", reason="what we measure beside is not installed: pip install 'otelkit[dev]'")
pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="what we measure beside is not installed: pip install 'otelkit[dev]'")


def cells(text: str) -> list[list[str]]:
    """The rows of the Markdown table in a text, cell by cell."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]


def test_a_quick_run_measures_everything_and_writes_the_table(tmp_path: Path) -> None:
    out = tmp_path / "table.md"
    command = [sys.executable, "-m", "tests.benchmarks.requests", "--quick", "--rounds", "1", "--requests", "2", "--out", str(out)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    assert out.read_text() == run.stdout
    head, rule, *rows = cells(run.stdout)
    assert head == ["per request", "µs", "added", "of upstream's", "added with export", "of upstream's"]
    assert len(rule) == len(head)
    assert [row[0] for row in rows] == [subject.title for subject in SUBJECTS]
    assert all(int(row[1]) > 0 for row in rows)
    assert all(row[2][0] in "+-" and row[2][1:].isdigit() for row in rows[1:])
    assert "round 1: bare" in run.stderr


def test_the_table_has_added_cost_and_its_ratio_to_upstreams() -> None:
    kit = Subject("kit", "the kit")
    instructions = {"bare": Cost(740, 740), "kit": Cost(1288, 1681), "upstream": Cost(1920, 2301)}
    times = {"bare": Cost(112.4, 112.4), "kit": Cost(112.3, 112.3), "upstream": Cost(317, 369)}
    head, _, bare, ours, theirs = cells(table([BARE, kit, UPSTREAM], {"k-instr": instructions, "µs": times}))
    assert head[1::5] == ["k-instr", "µs"]
    assert bare == ["Django alone", "740", "", "", "", "", "112", "", "", "", ""]
    assert ours == ["the kit", "1288", "+548", "0.46", "+941", "0.60", "112", "+0", "0.00", "+0", "0.00"]
    assert theirs == [UPSTREAM.title, "1920", "+1180", "1.00", "+1561", "1.00", "317", "+205", "1.00", "+257", "1.00"]


def test_the_thread_that_answers_is_told_from_those_that_export() -> None:
    main_thread = "version: 1\nthread: 1\n\nevents: Ir\nfn=(1) x\n1 5\n\ntotals: 1000\n"
    assert read_counts([main_thread, "thread: 2\ntotals: 30\n", "thread: 3\ntotals: 4\n"]) == Cost(1000, 1034)
    with pytest.raises(RuntimeError, match="not what callgrind writes"):
        read_counts(["totals: 30\n"])


def test_a_subject_that_does_not_run_says_why() -> None:
    with pytest.raises(RuntimeError, match=r"(?s)mistyped ended with 2:.*invalid choice: 'mistyped'"):
        next(
            microseconds(
                [Subject("mistyped", "a subject the worker does not know")], environment("http://127.0.0.1:1"), rounds=1, requests=1
            )
        )


@pytest.mark.parametrize("count", ["0", "-3", "many"])
def test_a_count_that_is_none_is_refused(count: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([f"--rounds={count}"])
    assert f"must be a whole number above 0; it is '{count}'" in capsys.readouterr().err
