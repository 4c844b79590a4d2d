"""A query ends where it takes too long, holds too much, or nobody waits for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from otelkit_stack.promql.answers import failure
from otelkit_stack.promql.engine import MOST_POINTS, Engine
from otelkit_stack.promql.errors import QueryCanceledError, QueryError, QueryTimeoutError, TooManySamplesError
from otelkit_stack.promql.limits import Cancellation, Options
from otelkit_stack.promql.results import Result
from otelkit_stack.promql.storage import MemoryStorage, Series
from otelkit_stack.selectors.matchers import Matcher


def storage_of(series: int, samples: int) -> MemoryStorage:
    storage = MemoryStorage()
    for number in range(series):
        storage.add({"__name__": "x_total", "number": str(number)}, [(time * 1000, float(time)) for time in range(samples)])
    return storage


def test_a_query_that_takes_too_long_ends() -> None:
    with pytest.raises(QueryTimeoutError) as ended:
        Engine(storage_of(1, 10), Options(timeout_s=0)).instant("sum(x_total)", 5000)
    assert failure(ended.value) == {"status": "error", "errorType": "timeout", "error": "query timed out in expression evaluation"}


class CancelsOnSelect:
    """A store during whose answer the client goes away."""

    def __init__(self, cancellation: Cancellation) -> None:
        self._cancellation = cancellation

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Series]:
        self._cancellation.cancel()
        return storage_of(3, 10).select(matchers, start_ms, end_ms)


def test_a_query_that_nobody_waits_for_ends() -> None:
    cancellation = Cancellation()
    with pytest.raises(QueryCanceledError) as ended:
        Engine(CancelsOnSelect(cancellation)).instant("sum(rate(x_total[1m]))", 5000, cancellation=cancellation)
    assert failure(ended.value) == {"status": "error", "errorType": "canceled", "error": "query was canceled in expression evaluation"}


@pytest.mark.parametrize(
    ("query", "held"),
    [("x_total", 220), ("rate(x_total[10s])", 220), ("x_total @ 5", 220), ("sum_over_time(x_total[5s:1s])", 300), ("x_total[10s]", 200)],
)
def test_a_query_that_holds_too_much_ends(query: str, held: int) -> None:
    """Of 20 series with 10 samples each, at 11 steps, or at the 15 of a subquery."""
    storage = storage_of(20, 10)

    def ask(engine: Engine) -> Result:
        return engine.instant(query, 9000) if query.endswith("]") else engine.range(query, 0, 10_000, 1000)

    assert ask(Engine(storage, Options(max_samples=held))).answer
    with pytest.raises(TooManySamplesError) as ended:
        ask(Engine(storage, Options(max_samples=held - 1)))
    assert failure(ended.value)["error"] == "query processing would load too many samples into memory in query execution"


class OneAfterAnother:
    """A store that counts the series it had to hand over."""

    def __init__(self, storage: MemoryStorage) -> None:
        self._storage = storage
        self.handed_over = 0

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> Iterator[Series]:
        for series in self._storage.select(matchers, start_ms, end_ms):
            self.handed_over += 1
            yield series


@pytest.mark.parametrize(
    "query", ["sum_over_time(x_total[10s])", 'sum_over_time(x_total{number="0"}[10s]) + on () sum(sum_over_time(x_total[10s]))']
)
def test_a_store_is_not_read_on_when_it_is_too_much(query: str) -> None:
    """Ten samples of each series, and all that the query reads counts together."""
    storage = OneAfterAnother(storage_of(20, 10))
    with pytest.raises(TooManySamplesError):
        Engine(storage, Options(max_samples=29)).instant(query, 9000)
    assert storage.handed_over == 3


@pytest.mark.parametrize(
    "query",
    ["(" * 5000 + "1" + ")" * 5000, "-" * 5000 + "x_total", "x_total" + " + x_total" * 5000, "abs(" * 5000 + "x_total" + ")" * 5000],
)
def test_a_query_that_is_nested_too_deeply_is_refused(query: str) -> None:
    with pytest.raises(QueryError, match="nested too deeply"):
        Engine(storage_of(1, 10)).instant(query, 5000)


def test_two_hundred_alternatives_are_not_too_many() -> None:
    query = " or ".join(f'x_total{{number="{number}"}}' for number in range(200))
    assert Engine(storage_of(3, 10)).instant(query, 5000).answer == Engine(storage_of(3, 10)).instant("x_total", 5000).answer


def test_eleven_thousand_points_are_the_most() -> None:
    engine = Engine(MemoryStorage())
    assert engine.range("vector(1)", 0, MOST_POINTS, 1).answer
    with pytest.raises(QueryError, match="exceeded maximum resolution"):
        engine.range("vector(1)", 0, MOST_POINTS + 1, 1)
