"""The benchmark of the stack runs, and what it asks has answers. What the numbers are is no test: they belong to a machine."""

from __future__ import annotations

from tests.benchmarks.stack import NEWEST, RATE, RATES, SEARCH, WATERFALL, Size, measure


def test_a_small_run_measures_everything_and_loses_nothing() -> None:
    said: list[str] = []
    found = measure(Size(seconds=1, spans=1_000, series=(20, 40), lines=400, rounds=1), said.append)
    assert found.ingest is not None
    assert found.ingest.lost == 0
    assert found.ingest.spans_per_second > 0
    assert found.ingest.samples_per_second > 0
    assert found.ingest.queries > 0
    assert set(found.answers_ms) == {NEWEST, WATERFALL, RATE, RATES, SEARCH}
    assert set(found.octets) == {"span", "sample", "line"}
    assert found.start_s > 0
    assert found.peak_mib > 0
    assert said[0].startswith("stack: spans and samples for 1 s")
