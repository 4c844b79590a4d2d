"""The benchmark runs, and what it measures is what it says. What the numbers are is no test: they belong to a machine."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks import __main__ as bench
from tests.benchmarks import subjects as s
from tests.benchmarks.flooding import Flood, spans_in
from tests.benchmarks.measuring import MARK, Cost, can_count_instructions, environment, instructions, microseconds, read_counts
from tests.benchmarks.results import GOALS, Results
from tests.benchmarks.serving import Served, Service
from tests.benchmarks.subjects import SECTIONS, SUBJECTS, Subject
from tests.benchmarks.works import BATCH, encode_ours, encode_theirs, spans
from tests.receivers import receiver

pytest.importorskip("opentelemetry.instrumentation.django", reason="what we measure beside is not installed: pip install 'otelkit[dev]'")
pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="what we measure beside is not installed: pip install 'otelkit[dev]'")


def test_a_quick_run_measures_its_parts_and_writes_the_page(tmp_path: Path) -> None:
    out = tmp_path / "build" / "page.md"
    command = [sys.executable, "-m", "tests.benchmarks", "encoder", "lines", "--quick", "--out", str(out)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    assert out.read_text() == run.stdout
    rows = [line for line in run.stdout.splitlines() if line.startswith("|")]
    for subject in SUBJECTS:
        measured = subject in (s.KIT_ENCODER, s.SDK_ENCODER, s.OUR_LINE, s.OUR_STANDARD_LINE, s.STRUCTLOG_LINE, s.BARE_STRUCTLOG_LINE)
        assert any(row.startswith(f"| {subject.title} ") for row in rows) is measured, subject.title
    assert "A quick run: no instructions" in run.stdout
    assert "lines: round 1 of 3" in run.stderr


@pytest.mark.skipif(not can_count_instructions(), reason="valgrind is not installed: it counts the instructions")
def test_traces_and_metrics_cost_a_quarter_of_upstreams_instructions() -> None:
    """The ratio that `make bench` holds all of us to, counted as there: it repeats to about 1 %, whatever else the machine does."""
    results = Results()
    with receiver() as running:
        results.instructions = {subject.key: cost for subject, cost in instructions((s.BARE, s.TRACED, s.UPSTREAM), running.endpoint)}
    goal = next(goal for goal in GOALS if goal.row == s.TRACED.key)
    assert goal.is_met(results), goal.said(results)


def counted(part: int, thread: int, total: int, trigger: str = f"--dump-before={MARK}") -> str:
    """What callgrind writes of one thread."""
    return f"version: 1\npart: {part}\nthread: {thread}\n\ndesc: Trigger: {trigger}\n\ntotals: {total}\n"


def test_the_work_is_told_from_the_sending_behind_it_and_beside_it() -> None:
    marks = [counted(3, 1, 30), counted(1, 1, 5), counted(2, 1, 1000)]
    end = [counted(4, 1, 7, "Program termination"), counted(4, 2, 400, "Program termination")]
    assert read_counts(["", *end, *marks]) == Cost(1000, 1430)
    with pytest.raises(RuntimeError, match="2 times instead of 3"):
        read_counts([*end, *marks[1:]])


def test_a_subject_that_does_not_run_says_why() -> None:
    with pytest.raises(RuntimeError, match=r"(?s)mistyped ended with 2:.*invalid choice: 'mistyped'"):
        next(microseconds([Subject("mistyped", "a subject the worker does not know")], environment("http://127.0.0.1:1"), rounds=1))


def test_a_part_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        bench.main(["request"])
    known = "requests, queries, libraries, lines, encoder, gunicorn, flood, stack"
    assert f"no part is called 'request'; there are {known}" in capsys.readouterr().err


def test_a_missed_goal_ends_the_run_with_its_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    slow = Service([Served(740, 3.0)])
    results = Results(
        services={s.BARE.key: Service([Served(1000, 2.0)]), s.TRACED.key: slow}, flood=Flood(20_000, 600_000, 600_000, 0, 9.0, 0.6)
    )
    monkeypatch.setattr(bench, "measure", lambda *_, **__: results)
    with pytest.raises(SystemExit, match=r"^Goals were missed:\n  gunicorn: 74% of Django's requests/s \(at least 75%\)$"):
        bench.main(["--out", str(tmp_path / "page.md")])
    assert (
        "**missed:** 74% of Django's requests/s (at least 75%); 1.50 times Django's p99 (at most 1.50)"
        in (tmp_path / "page.md").read_text()
    )
    bench.main(["--quick", "--out", str(tmp_path / "page.md")])  # a first look does not fail
    assert "gunicorn: 74%" in capsys.readouterr().out


def test_gunicorns_ratios_are_those_of_the_middle_round() -> None:
    """A busy moment of the machine takes one pair of turns, not the result."""
    bare = Service([Served(1000, 2.0), Served(500, 4.0), Served(1000, 2.0)])
    mine = Service([Served(800, 2.6), Served(400, 5.2), Served(200, 9.0)])
    assert mine.kept(bare) == 0.8
    assert mine.slower(bare) == pytest.approx(1.3)


def test_a_flood_is_accounted_for_when_every_span_arrived_or_was_counted() -> None:
    assert Flood(20_000, 100, 90, 10, 1.0, 0.6).unaccounted == 0
    assert Flood(20_000, 100, 90, 0, 1.0, 0.6).unaccounted == 10
    assert Flood(20_000, 100, 110, 0, 1.0, 0.6).unaccounted == 10, "spans that arrived twice"


def test_spans_are_counted_as_the_receiver_has_them() -> None:
    from otelkit.export.spans import encode_spans

    body = encode_spans({"service.name": "shop"}, spans(0))
    assert spans_in([({}, body), ({"Content-Encoding": "gzip"}, gzip.compress(body))]) == 2 * BATCH


def test_both_encoders_are_given_the_same_spans_and_new_ones_each_time() -> None:
    for prepare in (encode_ours, encode_theirs):
        step = prepare()(range(2))
        step(0)
        step(1)
        with pytest.raises(KeyError):
            step(0)
    first, second = ({span.attributes["url.path"] for span in spans(number)} for number in (0, 1))
    assert len(first) == len(second) == BATCH
    assert first.isdisjoint(second)


def test_every_subject_has_a_name_of_its_own() -> None:
    named = [subject for section in SECTIONS for subject in section.measured()]
    assert {subject.key: subject for subject in named} == {subject.key: subject for subject in SUBJECTS}
    assert len({id(subject) for subject in named}) == len(SUBJECTS)
