"""PromQL's benchmark runs, and its queries have answers. What the numbers are is no test: they belong to a machine."""

from __future__ import annotations

import pytest

from otelkit_stack.promql.engine import Engine
from otelkit_stack.promql.results import MatrixAnswer
from tests.benchmarks.promql import HOUR_MS, INTERVAL_MS, QUERIES, main, storage_of


def test_a_quick_run_prints_a_row_for_each_query(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--quick"])
    head, _, *rows = capsys.readouterr().out.splitlines()
    assert head == "| query | 20 series, ms |"
    assert len(rows) == len(QUERIES)


def test_every_query_of_the_benchmark_has_an_answer_at_each_step() -> None:
    engine = Engine(storage_of(160))
    for query in QUERIES:
        answer = engine.range(query, 600_000, 600_000 + HOUR_MS, INTERVAL_MS).answer
        assert isinstance(answer, MatrixAnswer)
        assert len({time for _, times, _ in answer.series for time in times.tolist()}) == HOUR_MS // INTERVAL_MS + 1, query
