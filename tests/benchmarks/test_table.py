"""The table and its goals, with numbers made up for the purpose."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks import subjects as s
from tests.benchmarks.flooding import Flood
from tests.benchmarks.measuring import Cost
from tests.benchmarks.page import page
from tests.benchmarks.results import GOALS, Results, missed, not_judged
from tests.benchmarks.serving import Served, Service
from tests.benchmarks.stack import NEWEST, RATE, RATES, SEARCH, WATERFALL, Size, Stack
from tests.benchmarks.stack_load import Ingest
from tests.benchmarks.table import HEAD, table

REACHED = {
    s.BARE.key: Cost(700, 700),
    s.OFF.key: Cost(702, 702),
    s.TRACED.key: Cost(950, 1100),
    s.UPSTREAM.key: Cost(1900, 2300),
    s.SAMPLED.key: Cost(800, 850),
    s.UPSTREAM_SAMPLED.key: Cost(1500, 1600),
    s.LOGGED.key: Cost(1200, 1350),
    s.UPSTREAM_LOGGED.key: Cost(3700, 4100),
    **{
        subject.key: Cost(cost, cost)
        for library in (s.CALLS, s.CACHE_GETS, s.TASKS)
        for subject, cost in zip(library, (900, 1000, 1200), strict=True)
    },
    s.KIT_ENCODER.key: Cost(40, 40),
    s.SDK_ENCODER.key: Cost(300, 300),
}


def results() -> Results:
    """A run that reaches every goal."""
    services = {s.BARE.key: Service([Served(1000, 2.0)]), s.TRACED.key: Service([Served(800, 2.5)])}
    return Results(dict(REACHED), {}, services, Flood(19_990, 600_000, 600_000, 0, 30.0, 0.6), stack())


def stack() -> Stack:
    """A stack that reaches every goal."""
    taken = Ingest(60, 10_500.0, 21_000.0, refused=0, lost=0, queries=120, slowest_query_ms=140.0)
    answers = {NEWEST: 20.0, WATERFALL: 30.0, RATE: 200.0, RATES: 2_000.0, SEARCH: 300.0}
    return Stack(Size(), taken, answers, 0.7, 200.0, {"span": 600.0, "sample": 3.0, "line": 330.0})


def cells(text: str) -> list[list[str]]:
    """The rows of the Markdown table in a text, cell by cell."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]


def row_of(found: Results, title: str, below: str) -> list[str]:
    """The row of that title in the section of that title."""
    rows = cells(table(found))
    start = next(number for number, row in enumerate(rows) if row[0] == f"**{below}**")
    return next(row for row in rows[start:] if row[0] == title)


def test_a_run_that_reaches_every_goal_misses_none() -> None:
    assert missed(results()) == []
    assert not_judged(results()) == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"otelkit-off": 709}, "otelkit-off: 1.3% away from Django's own (at most 1.0%)"),
        ({"otelkit-off": 691}, "otelkit-off: 1.3% away from Django's own (at most 1.0%)"),
        ({"otelkit-call": 1060}, "otelkit-call: 0.53 of upstream's (at most 0.50)"),
        ({"otelkit": 1012}, "otelkit: 0.26 of upstream's (at most 0.25)"),
        ({"otelkit-10": 868}, "otelkit-10: 0.21 of upstream's (at most 0.20)"),
        ({"otelkit-line": 1330}, "otelkit-line: 0.21 of theirs (at most 0.20)"),
        ({"encode-otelkit": 61}, "encode-otelkit: 4.9 times cheaper than the SDK's (at least 5.0)"),
    ],
)
def test_a_missed_goal_names_its_row_what_was_measured_and_the_limit(changed: dict[str, float], said: str) -> None:
    found = results()
    found.instructions.update({key: Cost(cost, cost) for key, cost in changed.items()})
    assert missed(found) == [said]
    _, _, sentence = said.partition(": ")
    assert f"| **missed:** {sentence} " in table(found)
    assert f"Goals missed: {said}." in page(found, day="2026-01-01")


@pytest.mark.parametrize(
    ("flood", "said"),
    [
        (Flood(20_000, 600_000, 599_000, 0, 30.0, 0.6), "flood: 1000 spans unaccounted for (at most 0)"),
        (Flood(20_000, 600_000, 599_000, 1_000, 30.0, 0.6), "flood: 1000 spans dropped (at most 0)"),
        (Flood(8_000, 600_000, 600_000, 0, 30.0, 0.6), "flood: 8,000 spans a second (at least 19,000)"),
        (Flood(20_000, 600_000, 600_000, 0, 130.0, 0.6), "flood: 130 MB of memory more (at most 100)"),
    ],
)
def test_a_flood_loses_nothing_keeps_its_rate_and_its_memory(flood: Flood, said: str) -> None:
    found = results()
    found.flood = flood
    assert missed(found) == [said]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"spans_per_second": 9_000.0}, "stack: ingest: 9,000 spans a second (at least 10,000)"),
        ({"samples_per_second": 19_000.0}, "stack: ingest: 19,000 samples a second (at least 20,000)"),
        ({"lost": 7}, "stack: ingest: 7 records lost (at most 0)"),
    ],
)
def test_a_stack_takes_in_what_comes_and_loses_nothing(changed: dict[str, Any], said: str) -> None:
    found = results()
    found.stack = replace(stack(), ingest=replace(stack().ingest, **changed))  # type: ignore[type-var]
    assert missed(found) == [said]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"answers_ms": {NEWEST: 51.0}}, "stack: newest traces: 51 ms (at most 50)"),
        ({"answers_ms": {WATERFALL: 60.0}}, "stack: waterfall: 60 ms (at most 50)"),
        ({"answers_ms": {RATE: 301.0}}, "stack: rate: 301 ms (at most 300)"),
        ({"answers_ms": {RATES: 4_000.0}}, "stack: many rates: 4000 ms (at most 3000)"),
        ({"answers_ms": {SEARCH: 700.0}}, "stack: text search: 700 ms (at most 500)"),
        ({"peak_mib": 251.0}, "stack: process: 251 MiB of memory (at most 250)"),
        ({"start_s": 1.2}, "stack: process: 1.20 s to start (at most 1.00)"),
    ],
)
def test_a_stack_answers_soon_starts_soon_and_stays_small(changed: dict[str, Any], said: str) -> None:
    found = results()
    found.stack = replace(stack(), **changed)
    assert missed(found) == [said]
    assert f"**missed:** {said.rpartition(': ')[2]}" in table(found)


def test_the_stack_has_a_row_for_each_question_and_its_bytes() -> None:
    below = "The embedded stack, one process, asked over HTTP"
    assert row_of(results(), "the newest fifty traces of 1,000,000 spans: 20.0 ms", below)[-1] == "20 ms (at most 50)"
    size = "on disk: 600.0 bytes a span, 3.0 bytes a sample, 330.0 bytes a line; started in 0.70 s, at most 200 MiB of memory"
    assert row_of(results(), size, below)[-1] == "200 MiB of memory (at most 250); 0.70 s to start (at most 1.00)"


def test_gunicorn_has_two_goals() -> None:
    found = results()
    found.services[s.TRACED.key] = Service([Served(740, 3.2)])
    assert missed(found) == [
        "gunicorn: 74% of Django's requests/s (at least 75%)",
        "gunicorn: 1.60 times Django's p99 (at most 1.50)",
    ]


def test_a_goal_whose_row_was_not_measured_is_neither_met_nor_missed_and_the_page_says_so() -> None:
    found = Results({key: REACHED[key] for key in (s.BARE.key, s.TRACED.key, s.UPSTREAM.key)})
    assert missed(found) == []
    assert s.TRACED.key not in not_judged(found)
    assert f"Goals not judged, because their rows were not measured: {', '.join(not_judged(found))}." in page(found, day="2026-01-01")
    assert {*not_judged(found), s.TRACED.key} == {goal.row for goal in GOALS}


def test_a_row_has_what_is_added_and_its_share_of_what_the_last_row_of_its_section_adds() -> None:
    found = results()
    found.times = {s.BARE.key: Cost(100.4, 100.4), s.TRACED.key: Cost(140, 170), s.UPSTREAM.key: Cost(300, 350)}
    title = "A request: traces and metrics"
    assert row_of(found, "Django alone", title) == ["Django alone", "700", "", "", "", "", "100", "", "", ""]
    goal = "0.21 of upstream's (at most 0.25)"
    assert row_of(found, "otelkit", title) == ["otelkit", "950", "+250", "0.21", "+400", "0.25", "140", "+40", "0.20", goal]
    theirs = row_of(found, s.UPSTREAM.title, title)
    assert theirs == [s.UPSTREAM.title, "1900", "+1200", "1.00", "+1600", "1.00", "300", "+200", "1.00", ""]
    tenth = row_of(found, "otelkit", "A request: a tenth of the traces, metrics")
    assert tenth[:6] == ["otelkit", "800", "+100", "0.12", "+150", "0.17"]


def test_what_stands_for_itself_is_compared_as_it_is() -> None:
    row = row_of(results(), "otelkit's encoder", "A span of ten attributes, encoded for OTLP")
    assert row[:6] == ["otelkit's encoder", "40.0", "", "0.13", "", ""]


def test_every_row_has_a_cell_for_each_column() -> None:
    assert {len(row) for row in cells(table(results()))} == {len(HEAD)}


def test_the_page_names_versions_and_what_was_left_out_but_no_folder() -> None:
    text = page(results(), day="2026-01-01", left_out=["Left out: sentry-sdk (needs sentry_sdk)."])
    assert "Left out: sentry-sdk (needs sentry_sdk)." in text
    assert "Measured on 2026-01-01 with Python 3." in text
    assert "; Django " in text
    assert str(Path.cwd()) not in text
