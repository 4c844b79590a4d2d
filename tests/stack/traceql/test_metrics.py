"""Numbers over time of the traces of a shop (see shop.py): each function, what follows it, and which step a span belongs to."""

from __future__ import annotations

import math
import sqlite3

import pytest

from otelkit_stack.traceql import syntax as s
from otelkit_stack.traceql.buckets import bucket_of, quantile
from otelkit_stack.traceql.errors import TooMuchError
from otelkit_stack.traceql.metrics import over_time
from otelkit_stack.traceql.parsing import parse
from otelkit_stack.traceql.reading import Source
from otelkit_stack.traceql.series import Series
from otelkit_stack.traceql.steps import Steps, aligned, default_step_ns, instant
from otelkit_stack.traceql.values import Duration, text_of
from tests.stack.traceql.shop import SECOND_NS, START_NS, TRACES

# Ends at 0, 10, 20 and 30 s: a1 started at 0 s, the others of its trace soon after, b1 at 10 s, c1 at 20 s.
STEPS = aligned(START_NS, START_NS + 30 * SECOND_NS, 10 * SECOND_NS)


def series_of(connection: sqlite3.Connection, query: str, steps: Steps = STEPS) -> list[Series]:
    body = parse(query).body
    assert not isinstance(body, s.Pipeline)
    return over_time(body, Source(connection), steps)


def shown(series: Series) -> tuple[str, list[float | None]]:
    labels = ",".join(f"{name}={text_of(value)}" for name, value in series.labels)
    return labels, [None if math.isnan(value) else round(value, 6) for value in series.values]


Expected = dict[str, list[float | None]]
NONE = None

CASES: list[tuple[str, Expected]] = [
    ("{ } | count_over_time()", {"__name__=count_over_time": [1, 5, 1, 0]}),
    ("{ } | rate()", {"__name__=rate": [0.1, 0.5, 0.1, 0]}),
    ("{ status = error } | count_over_time()", {"__name__=count_over_time": [1, 1, 0, 0]}),
    ("{ .nothing = 1 } | count_over_time()", {"__name__=count_over_time": [0, 0, 0, 0]}),
    ("{ .nothing = 1 } | count_over_time() by (name)", {}),
    (
        "{ } | count_over_time() by (resource.service.name)",
        {
            "resource.service.name=gateway": [1, 1, 0, 0],
            "resource.service.name=orders": [0, 4, 0, 0],
            "resource.service.name=worker": [0, 0, 1, 0],
        },
    ),
    (
        "{ kind = server } | count_over_time() by (.paid, status)",
        {"status=error": [1, 0, 0, 0], ".paid=true,status=error": [0, 1, 0, 0], ".paid=false,status=unset": [0, 1, 0, 0]},
    ),
    ("{ .rows != nil } | count_over_time() by (span.paid)", {"span.paid=nil": [0, 2, 0, 0]}),
    ("{ } | max_over_time(duration)", {"__name__=max_over_time": [1, 0.89, 2, NONE]}),
    ("{ } | min_over_time(duration)", {"__name__=min_over_time": [1, 0.005, 2, NONE]}),
    (
        "{ } | min_over_time(duration) by (kind)",
        {"kind=client": [NONE, 0.01, NONE, NONE], "kind=consumer": [NONE, NONE, 2, NONE], "kind=server": [1, 0.005, NONE, NONE]},
    ),
    ("{ } | sum_over_time(span.rows)", {"__name__=sum_over_time": [NONE, 7, NONE, NONE]}),
    ("{ } | avg_over_time(span.rows)", {"__name__=avg_over_time": [NONE, 3.5, NONE, NONE]}),
    ("{ } | avg_over_time(.nothing)", {}),
    ("{ } | sum_over_time(.text)", {}),
    ("{ .rows != nil } | histogram_over_time(span.rows)", {"__bucket=4": [0, 2, 0, 0]}),
    ("{ kind = consumer } | histogram_over_time(duration)", {"__bucket=2.147483648": [0, 0, 1, 0]}),
    ("{ kind = consumer } | histogram_over_time(duration) by (name)", {"name=process mail,__bucket=2.147483648": [0, 0, 1, 0]}),
    ("{ .rows != nil } | quantile_over_time(span.rows, 1, .5)", {"p=0.5": [0, round(2**1.5, 6), 0, 0], "p=1": [0, 4, 0, 0]}),
    ("{ kind = consumer } | quantile_over_time(duration, 1) by (name)", {"name=process mail,p=1": [0, 0, 2.147484, 0]}),
    # --- what the trace as a whole tells ---
    ("{ kind = server } >> { kind = client } | count_over_time()", {"__name__=count_over_time": [0, 3, 0, 0]}),
    ("{ kind = client } | count() > 2 | count_over_time()", {"__name__=count_over_time": [0, 3, 0, 0]}),
    (
        "{ } | count_over_time() by (rootName)",
        {"rootName=GET /orders/{pk}": [0, 1, 0, 0], "rootName=POST /checkout": [1, 4, 0, 0], "rootName=nil": [0, 0, 1, 0]},
    ),
    ("{ rootServiceName = `orders` } | rate()", {"__name__=rate": [0, 0.1, 0, 0]}),
    # --- behind them ---
    (
        "{ } | count_over_time() by (resource.service.name) | topk(1)",
        {
            "resource.service.name=gateway": [1, NONE, NONE, 0],
            "resource.service.name=orders": [NONE, 4, NONE, NONE],
            "resource.service.name=worker": [NONE, NONE, 1, NONE],
        },
    ),
    (
        "{ } | count_over_time() by (resource.service.name) | topk(1) > 0",
        {
            "resource.service.name=gateway": [1, NONE, NONE, NONE],
            "resource.service.name=orders": [NONE, 4, NONE, NONE],
            "resource.service.name=worker": [NONE, NONE, 1, NONE],
        },
    ),
    (
        "{ } | max_over_time(duration) by (name) | bottomk(1)",
        {
            "name=POST /checkout": [1, NONE, NONE, NONE],
            "name=GET /orders/{pk}": [NONE, 0.005, NONE, NONE],
            "name=process mail": [NONE, NONE, 2, NONE],
        },
    ),
    ("{ } | count_over_time() > 1", {"__name__=count_over_time": [NONE, 5, NONE, NONE]}),
    ("{ } | max_over_time(duration) >= 1s", {"__name__=max_over_time": [1, NONE, 2, NONE]}),
    ("{ } | count_over_time() by (name) > 100", {}),
    (
        "({ status = error } | count_over_time()) / ({ } | count_over_time())",
        {"__name__=(count_over_time / count_over_time)": [1, 0.2, 0, NONE]},
    ),
    (
        "({ status = error } | count_over_time() by (kind)) * ({ } | count_over_time())",
        {"kind=server": [1, 5, 0, 0]},
    ),
    ("(({ } | rate()) + ({ } | rate())) - ({ } | rate()) > 0.2", {"__name__=((rate + rate) - rate)": [NONE, 0.5, NONE, NONE]}),
]


@pytest.mark.parametrize(("query", "expected"), CASES, ids=[query for query, _ in CASES])
def test_a_query_counts(shop_connection: sqlite3.Connection, query: str, expected: Expected):
    """D1: each function, with its numbers."""
    assert dict(map(shown, series_of(shop_connection, query))) == expected


def test_a_comparison_counts_values_among_some_spans_and_among_the_others(shop_connection: sqlite3.Connection):
    """Each attribute has its most frequent values on both sides, and how many spans of each side have it at all."""
    moment = instant(START_NS, START_NS + 20 * SECOND_NS)
    counts = dict(map(shown, series_of(shop_connection, "{ kind != consumer } | compare({ status = error })", moment)))
    assert {labels: values for labels, values in counts.items() if "span.http.response" in labels} == {
        "__meta_type=baseline,span.http.response.status_code=200": [1],
        "__meta_type=baseline_total,span.http.response.status_code=nil": [1],
        "__meta_type=selection,span.http.response.status_code=500": [2],
        "__meta_type=selection_total,span.http.response.status_code=nil": [2],
    }
    assert counts["__meta_type=baseline,resource.service.name=orders"] == [3]
    assert counts["__meta_type=selection,resource.service.name=orders"] == [1]
    assert counts["__meta_type=baseline_total,name=nil"] == [4]
    assert counts["__meta_type=selection,rootName=POST /checkout"] == [2]
    assert not any("duration" in labels or "span:id" in labels for labels in counts)
    few = dict(map(shown, series_of(shop_connection, "{ } | compare({ status = error }, 1)", moment)))
    assert [labels for labels in few if "baseline,name" in labels] == ["__meta_type=baseline,name=GET /orders/{pk}"]
    start, end = START_NS + SECOND_NS, START_NS + 11 * SECOND_NS
    timed = dict(map(shown, series_of(shop_connection, f"{{ }} | compare({{ kind = server }}, 10, {start}, {end})", moment)))
    assert timed["__meta_type=selection_total,name=nil"] == [1]


def test_an_instant_is_one_number_over_all_of_the_time(shop_connection: sqlite3.Connection):
    moment = instant(START_NS, START_NS + 20 * SECOND_NS)
    assert dict(map(shown, series_of(shop_connection, "{ } | count_over_time()", moment))) == {"__name__=count_over_time": [7]}
    assert dict(map(shown, series_of(shop_connection, "{ } | rate()", moment))) == {"__name__=rate": [0.35]}


def test_series_name_a_span_of_each_trace_to_look_at(shop_connection: sqlite3.Connection):
    (series,) = series_of(shop_connection, "{ resource.replicas = 2 } | max_over_time(duration) by (resource.replicas)")
    labels = [dict(exemplar.labels) for exemplar in series.exemplars]
    assert {text_of(one["trace:id"]) for one in labels} == {TRACES["a"].lstrip("0"), TRACES["b"]}
    assert {one["resource.replicas"] for one in labels} == {2}


def test_steps_lie_at_their_multiples_and_end_before_now():
    """As Tempo answered it: a start of 1795348489 and a step of a minute are shown from 1795348440 on."""
    steps = aligned(1_795_348_489 * SECOND_NS, 1_795_349_089 * SECOND_NS, 60 * SECOND_NS, now_ns=1_795_349_095 * SECOND_NS)
    assert [steps.time_ms(place) // 1000 for place in range(steps.count)] == [1_795_348_440 + 60 * number for number in range(11)]
    assert steps.place(1_795_348_440 * SECOND_NS) == 0
    assert steps.place(1_795_348_440 * SECOND_NS + 1) == 1
    assert steps.place(1_795_348_380 * SECOND_NS) == -1
    later = aligned(1_795_348_489 * SECOND_NS, 1_795_349_089 * SECOND_NS, 60 * SECOND_NS, now_ns=1_795_350_000 * SECOND_NS)
    assert later.count == 12


def test_a_step_that_nobody_named_gives_a_picture_some_hundred_points():
    hour = 3600 * SECOND_NS
    assert [default_step_ns(0, length) // SECOND_NS for length in (SECOND_NS, 600 * SECOND_NS, hour, 24 * hour)] == [1, 2, 15, 360]


def test_more_points_than_a_picture_can_show_are_refused():
    with pytest.raises(TooMuchError, match="exceeded maximum resolution"):
        aligned(0, 11_002 * SECOND_NS, SECOND_NS)


def test_buckets_are_powers_of_two_and_quantiles_lie_between_them():
    assert [bucket_of(value) for value in (2, 3, 4, 5, 1024, 1025)] == [2, 4, 4, 8, 1024, 2048]
    assert bucket_of(Duration(3 * SECOND_NS)) == 2**32 / 1e9
    assert [bucket_of(value) for value in (1, 0, -5, 2.5, "4", True, None)] == [None] * 7
    assert quantile(0.5, {}) == 0
    assert quantile(0.5, {1.0: 1, 2.0: 1}) == 1
    assert quantile(1, {1.0: 1, 2.0: 1}) == 2
    assert quantile(0, {4.0: 4}) == pytest.approx(2**1.25)
    assert quantile(0.75, {1.0: 2, 4.0: 2}) == 2
