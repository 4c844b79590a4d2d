"""However an answer is computed - at once or step by step, in large blocks or small ones - it is the same."""

from __future__ import annotations

import contextlib
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otelkit_stack.promql import samples
from otelkit_stack.promql.engine import Engine
from otelkit_stack.promql.errors import QueryError
from otelkit_stack.promql.labels import Labels
from otelkit_stack.promql.limits import Options
from otelkit_stack.promql.results import MatrixAnswer, Result, ScalarAnswer, VectorAnswer
from tests.stack.promql import random_queries, random_series
from tests.stack.promql.random_queries import Question

SERIES = random_series.made_up(7)
STORAGE = random_series.in_memory(SERIES)
RANGES = [question for question in random_queries.made_up(7, 900) if question.step_ms and "()" not in question.query.replace("time()", "")]
"""Range queries in which nothing depends on where the range starts or ends."""

Points = dict[tuple[Labels, int], float]


def points(result: Result) -> Points:
    match result.answer:
        case MatrixAnswer(series):
            return {
                (labels, time): value
                for labels, times, values in series
                for time, value in zip(times.tolist(), values.tolist(), strict=True)
            }
        case VectorAnswer(time, vector):
            return {(labels, time): value for labels, value in vector}
        case ScalarAnswer(time, value):
            return {(Labels(), time): value}
    raise TypeError(result)


def same(first: Points, second: Points) -> bool:
    return first.keys() == second.keys() and all(
        math.isclose(value, second[key], rel_tol=1e-12) or (math.isnan(value) and math.isnan(second[key])) for key, value in first.items()
    )


def whole(engine: Engine, question: Question) -> Points | str:
    try:
        return points(engine.range(question.query, question.start_ms, question.end_ms, question.step_ms))
    except QueryError as error:
        return str(error)


def test_a_range_says_at_each_step_what_an_instant_query_says() -> None:
    engine = Engine(STORAGE)
    compared = 0
    for question in RANGES:
        answer = whole(engine, question)
        if isinstance(answer, str):
            continue
        for time in list(range(question.start_ms, question.end_ms + 1, question.step_ms))[:4]:
            instant = points(engine.instant(question.query, time))
            assert same(instant, {key: value for key, value in answer.items() if key[1] == time}), (question, time)
            compared += len(instant)
    assert compared > 2000


def test_blocks_of_any_size_give_the_same_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(STORAGE)
    expected = [whole(engine, question) for question in RANGES]
    monkeypatch.setattr(samples, "_CELLS_AT_ONCE", 1)
    monkeypatch.setattr(samples, "_SAMPLES_AT_ONCE", 7)
    for question, answer in zip(RANGES, expected, strict=True):
        again = whole(engine, question)
        assert again == answer or (isinstance(answer, dict) and isinstance(again, dict) and same(answer, again)), question


def test_names_that_go_late_change_no_value() -> None:
    """Only what the early removal makes ambiguous, and ``label_replace`` on a name, may differ."""
    early, late = Engine(STORAGE), Engine(STORAGE, Options(late_names=True))
    compared = 0
    for question in RANGES:
        if "__name__" in question.query or "without" in question.query:
            continue
        first, second = whole(early, question), whole(late, question)
        if isinstance(first, dict) and isinstance(second, dict):
            assert sorted(map(repr, first.values())) == sorted(map(repr, second.values())), question
            compared += 1
    assert compared > 100


def test_a_query_is_read_from_the_store_once_however_often_it_says_the_same() -> None:
    calls = []

    class Counting(random_series.MemoryStorage):
        def select(self, matchers, start_ms, end_ms):  # type: ignore[no-untyped-def]
            calls.append(matchers)
            return STORAGE.select(matchers, start_ms, end_ms)

    Engine(Counting()).instant("sum(rate(requests_total[5m])) / count(increase(requests_total[5m]))", random_series.END)
    assert len(calls) == 1


FRAGMENTS = [
    *(
        "sum",
        "by (service)",
        "topk(2,",
        "count_values('v',",
        "rate(",
        "abs(",
        "quantile_over_time(0.5,",
        "histogram_quantile(0.9,",
        "absent(",
        "(",
    ),
    *("requests_total", "limit", "latency_seconds_bucket", "odd", "clock", "{service='cart'}", "1", "-1", "NaN", "Inf", "1e300"),
    *("[5m]", "[5m:1m]", "[10y:1ms]", "[5m:0.0001]", "offset 1m", "offset -10y", "offset NaN", "@ 0", "@ 1e15", "@ -1e15", "@ end()"),
    *(")", ")", ")", "+", "/", "% bool", "^", "> bool", "==", "and", "or on ()", "unless", "* on (service) group_left ()", ","),
]


@settings(max_examples=600, deadline=None)
@given(st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=9), st.integers(-(2**40), 2**41), st.integers(1, 10**9))
def test_whatever_is_asked_there_is_an_answer_or_a_reason(fragments: list[str], start: int, step: int) -> None:
    engine, query = Engine(STORAGE, Options(max_samples=200_000)), " ".join(fragments)
    with contextlib.suppress(QueryError):
        engine.instant(query, start)
    with contextlib.suppress(QueryError):
        engine.range(query, start, start + 3 * step, step)
