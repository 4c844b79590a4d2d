"""What each operator of TraceQL finds among the traces of a shop (see shop.py)."""

from __future__ import annotations

import sqlite3

import pytest

from otelkit_stack.traceql import syntax as s
from otelkit_stack.traceql.errors import TraceQLError
from otelkit_stack.traceql.parsing import parse
from otelkit_stack.traceql.reading import Source
from otelkit_stack.traceql.search import Window, search
from tests.stack.traceql.shop import SECOND_NS, START_NS, TRACES

ALWAYS = Window(0, 2**63 - 1)
_LABELS = {f"{label}{label}": label for label in TRACES}


def pipeline_of(query: str) -> s.Pipeline:
    """The query's tree, a search."""
    body = parse(query).body
    assert isinstance(body, s.Pipeline)
    return body


def found(connection: sqlite3.Connection, query: str, window: Window = ALWAYS, limit: int = 20) -> list[str]:
    """Each set of spans that comes through, its spans by start: ``["a1 a3", "b1"]``, sorted."""
    traces = search(pipeline_of(query), Source(connection), window, limit=limit)
    return sorted(" ".join(sorted(_label(span.span_id) for span in one.spans)) for trace in traces for one in trace.spansets)


def _label(span_id: bytes) -> str:
    return f"{_LABELS[span_id[:1].hex()]}{int.from_bytes(span_id[1:])}"


A, B, C = "a1 a2 a3 a4 a5", "b1", "c1"

CASES: list[tuple[str, list[str]]] = [
    # --- spans by themselves ---
    ("{}", [A, B, C]),
    ("{ true }", [A, B, C]),
    ("{ false }", []),
    ("{ !false }", [A, B, C]),
    ('{ name = "POST" }', ["a2"]),
    ('{ span:name != "POST" }', ["a1 a3 a4 a5", B, C]),
    ('{ name =~ "POST.*" }', ["a1 a2 a3"]),
    ('{ name =~ "POST" }', ["a2"]),  # the whole name must match
    ('{ name !~ "POST.*" }', ["a4 a5", B, C]),
    ("{ name =~ `GET /orders/\\{pk\\}` }", [B]),
    ('{ name > "POST" }', ["a1 a3 a4", C]),
    ("{ duration > 850ms }", ["a1 a2", C]),
    ("{ duration >= 1s }", ["a1", C]),
    ("{ duration < 10ms }", [B]),
    ("{ duration <= 10ms }", ["a4", B]),
    ("{ duration = 5ms }", [B]),
    ("{ duration != 5ms }", [A, C]),
    ("{ span:duration > 1.5s }", [C]),
    ("{ 10ms = duration }", ["a4"]),
    ("{ 1s < duration }", [C]),
    ("{ duration > 0.5s + 400ms }", ["a1", C]),
    ("{ duration > 1500000000 }", [C]),
    ("{ status = error }", ["a1 a3"]),
    ("{ status != error }", ["a2 a4 a5", B, C]),
    ("{ span:status = ok }", [C]),
    ("{ status = unset }", ["a2 a4 a5", B]),
    ('{ statusMessage = "it broke" }', ["a1"]),
    ('{ statusMessage =~ "it broke.*" }', ["a1 a3"]),
    ('{ span:statusMessage = "" }', ["a2 a4 a5", B, C]),
    ("{ kind = server }", ["a1 a3", B]),
    ("{ kind = consumer }", [C]),
    ("{ span:kind != client }", ["a1 a3", B, C]),
    ("{ kind = internal }", []),
    ('{ span:id = "aa00000000000003" }', ["a3"]),
    ('{ span:parentID = "aa00000000000003" }', ["a4 a5"]),
    ("{ span:childCount = 2 }", ["a3"]),
    ("{ span:childCount = 0 }", ["a4 a5", B, C]),
    # --- the trace ---
    (f'{{ trace:id = "{TRACES["b"]}" }}', [B]),
    (f'{{ trace:id = "{TRACES["a"]}" }}', [A]),
    (f'{{ trace:id = "{TRACES["a"].lstrip("0")}" }}', [A]),
    ("{ traceDuration > 900ms }", [A, C]),
    ("{ trace:duration = 1s }", [A]),
    ('{ rootName = "POST /checkout" }', [A]),
    ('{ trace:rootName = "GET /orders/{pk}" }', [B]),
    ('{ rootServiceName = "gateway" && kind = server }', ["a1 a3"]),
    ('{ trace:rootService = "orders" }', [B]),
    ("{ nestedSetParent = -1 }", ["a1", B]),  # a span no root reaches has no place in the tree
    ("{ nestedSetLeft = 2 }", ["a2"]),
    # --- attributes ---
    ('{ span.http.route = "/orders" }', ["a3"]),
    ('{ .http.route = "/orders" }', ["a3"]),
    ('{ span.http.route != "/orders" }', ["a1", B]),  # what has no route is neither
    ('{ span.http.route !~ "/orders.*" }', ["a1"]),
    ('{ resource.service.name = "orders" }', ["a3 a4 a5", B]),
    ('{ .service.name = "worker" }', [C]),
    ('{ resource.service.name =~ "gate.*|worker" }', ["a1 a2", C]),
    ('{ resource.service.name != "orders" }', ["a1 a2", C]),
    ('{ resource.service.name = "nobody" }', []),
    ("{ span.http.response.status_code >= 500 }", ["a1 a3"]),
    ("{ span.http.response.status_code = 200 }", [B]),
    ('{ span.http.response.status_code = "200" }', []),  # a number is no text
    ("{ span.text = 200 }", []),
    ("{ span.http.response.status_code = 200.0 }", [B]),
    ("{ span.http.response.status_code = 200ns }", [B]),
    ("{ 500 <= .http.response.status_code }", ["a1 a3"]),
    ("{ span.ratio = 0.5 }", ["a3"]),
    ("{ span.ratio < 1 }", ["a3"]),
    ("{ span.paid }", ["a3"]),
    ("{ !span.paid }", [B]),
    ("{ span.paid = false }", [B]),
    ("{ .paid = true }", ["a3"]),
    ("{ span.text }", []),  # a text is no condition
    ('{ .place = "span" }', ["a3"]),
    ('{ .place = "resource" }', ["a1 a2 a4 a5", B]),  # the span's own hides the resource's
    ('{ resource.place = "resource" }', [A, B]),
    ('{ span."a b" = "with a space" }', [C]),
    ('{ ."a b" =~ "with.*" }', [C]),
    ("{ resource.replicas + 1 = 3 }", ["a3 a4 a5", B]),
    ("{ span.nested = 1 }", []),
    ('{ span.tags = "red" }', ["a3"]),
    ('{ span.tags = "green" }', ["a3"]),
    ('{ span.tags != "blue" }', ["a3"]),
    ('{ span.tags != "red" }', []),
    ('{ span.tags =~ "gr.*" }', ["a3"]),
    ('{ span.tags !~ "gr.*" }', []),
    # --- nil ---
    ("{ span.paid = nil }", ["a1 a2 a4 a5", C]),
    ("{ span.paid != nil }", ["a3", B]),
    ("{ nil != .replicas }", ["a3 a4 a5", B]),
    ("{ span:parentID = nil }", ["a1", B]),
    ("{ nil = nil }", []),
    # --- events, links, the library ---
    ('{ event:name = "exception" }', ["a1"]),
    ('{ event:name = "retry" }', ["a1"]),
    ('{ event:name = "nothing" }', []),
    ('{ event.exception.type = "KeyError" }', ["a1"]),
    ("{ event.attempt > 1 }", ["a1"]),
    ("{ .attempt = 2 }", ["a1"]),
    ("{ event:timeSinceStart > 900ms }", ["a1"]),
    ("{ event:timeSinceStart > 1s }", []),
    (f'{{ link:traceID = "{TRACES["b"]}" }}', ["a1"]),
    ('{ link:spanID = "bb00000000000001" }', ["a1"]),
    ('{ link.why = "cause" }', ["a1"]),
    ('{ instrumentation:name = "otelkit" }', [A, B, C]),
    ('{ instrumentation:version != "0.1" }', []),
    ('{ instrumentation.x = "y" }', []),
    # --- logic and arithmetic ---
    ('{ status = error && resource.service.name = "orders" }', ["a3"]),
    ("{ status = error || status = ok }", ["a1 a3", C]),
    ("{ status = error || kind = client && rows = 3 }".replace("rows", ".rows"), ["a4"]),  # both bind alike, from left to right
    ("{ status = error || (kind = client && .rows = 3) }", ["a1 a3 a4"]),
    ("{ !(kind = client) }", ["a1 a3", B, C]),
    ("{ .rows * 2 = 6 }", ["a4"]),
    ("{ .rows - 1 = 3 }", ["a5"]),
    ("{ -.rows = -3 }", ["a4"]),
    ("{ .rows / 2 = 1 }", ["a4"]),  # whole numbers stay whole
    ("{ .rows / 2.0 = 1.5 }", ["a4"]),
    ("{ .rows % 2 = 1 }", ["a4"]),
    ("{ .rows ^ 2 = 16 }", ["a5"]),
    ("{ .rows / 0 = 1 }", []),
    ("{ 2 ^ 3 ^ 2 = 512 }", [A, B, C]),
    ("{ 2 + 3 * 4 = 14 }", [A, B, C]),
    ("{ 10 - 2 - 3 = 5 }", [A, B, C]),
    ("{ -2 ^ 2 = -4 }", [A, B, C]),
    ("{ -7 / 2 = -3 }", [A, B, C]),
    ("{ -7 % 2 = -1 }", [A, B, C]),
    ("{ .rows + .ratio = 3.5 }", []),
    # --- sets of spans ---
    ("{ status = error } && { kind = client }", [A]),
    ("{ status = error } && { kind = consumer }", []),
    ("{ status = error } || { kind = consumer }", ["a1 a3", C]),
    ("{ status = error } || { kind = consumer } && { status = ok }", [C]),
    ('{ name = "POST /checkout" } > { }', ["a2"]),
    ('{ name = "POST /checkout" } >> { }', ["a2 a3 a4 a5"]),
    ("{ kind = server } >> { kind = server }", ["a3"]),
    ("{ kind = server } > { kind = client }", ["a2 a4 a5"]),
    ("{ kind = client } < { }", ["a1 a3"]),
    ("{ .rows = 3 } << { }", ["a1 a2 a3"]),
    ("{ .rows = 3 } << { kind = server }", ["a1 a3"]),
    ("{ .rows = 3 } ~ { }", ["a5"]),
    ("{ } ~ { }", ["a4 a5"]),
    ('{ name = "POST /checkout" } !> { }', ["a1 a3 a4 a5", B, C]),
    ('{ name = "POST /checkout" } !>> { }', ["a1", B, C]),
    ("{ kind = client } !< { kind = server }", [B]),
    ("{ .rows = 3 } !<< { }", ["a4 a5", B, C]),
    ("{ .rows = 3 } !~ { kind = client }", ["a2 a4"]),
    ('{ name = "POST /checkout" } &> { }', ["a1 a2"]),
    ("{ kind = server } &>> { kind = server }", ["a1 a3"]),
    ("{ .rows = 3 } &< { }", ["a3 a4"]),
    ("{ .rows = 3 } &<< { kind = server }", ["a1 a3 a4"]),
    ("{ .rows = 3 } &~ { }", ["a4 a5"]),
    ("{ kind = consumer } >> { }", []),
    ("{ kind = server } > { kind = client } > { kind = server }", ["a3"]),
    ("({ kind = server } >> { kind = client }) && { status = error }", [A]),
    # --- pipelines ---
    ("{ kind = client } | { .rows > 3 }", ["a5"]),
    ("{ kind = client } | count() > 2", ["a2 a4 a5"]),
    ("{ kind = client } | count() > 3", []),
    ("{ } | count() = 1", [B, C]),
    ("count() = 1 | { kind = server }", [B]),
    ("{ .rows != nil } | avg(.rows) = 3.5", ["a4 a5"]),
    ("{ } | avg(.rows) > 1", [A]),  # what has no rows does not count
    ("{ } | max(duration) >= 1s", [A, C]),
    ("{ } | min(duration) < 10ms", [B]),
    ("{ } | sum(.rows) = 7", [A]),
    ("{ } | sum(.rows * 2) = 14", [A]),
    ("{ } | max(.nothing) > 0", []),
    ("{ } | sum(duration) > -1s", [A, B, C]),
    ("{ } | by(resource.service.name)", ["a1 a2", "a3 a4 a5", B, C]),
    ("{ } | by(resource.service.name) | count() > 2", ["a3 a4 a5"]),
    ("{ } | by(.rows) | count() > 2", ["a1 a2 a3"]),
    ("{ } | by(kind) | count() > 1 | coalesce()", [A]),
    ("{ } | by(kind) | { status = error }", ["a1 a3"]),
    ("by(status) | count() = 2", ["a1 a3"]),
    ("{ status = error } | select(name, span.http.route)", ["a1 a3"]),
    ("({ kind = client } | count() > 2) && { status = error }", [A]),
    ("({ kind = client } | count() > 5) || { kind = consumer }", [C]),
    ("({ kind = server } | count() = 2) >> ({ kind = client })", ["a2 a4 a5"]),
    ("{ } | select(.x) // a comment", [A, B, C]),
    ("{ status = error } with(most_recent=true)", ["a1 a3"]),
]


@pytest.mark.parametrize(("query", "expected"), CASES, ids=[query for query, _ in CASES])
def test_a_query_finds(shop_connection: sqlite3.Connection, query: str, expected: list[str]):
    """D1: each operator, with the spans it lets through."""
    assert found(shop_connection, query) == sorted(expected)


def test_a_trace_belongs_to_a_window_that_it_reaches_into(shop_connection: sqlite3.Connection):
    def at(start_s: float, end_s: float) -> list[str]:
        window = Window(START_NS + int(start_s * SECOND_NS), START_NS + int(end_s * SECOND_NS))
        return found(shop_connection, "{}", window)

    assert at(0, 30) == [A, B, C]
    assert at(0.95, 5) == [A]  # only its first span still runs
    assert at(11, 19) == []
    assert at(21, 21.5) == [C]
    assert at(-10, -1) == []


def test_the_newest_traces_come_first_and_no_more_than_asked_for(shop_connection: sqlite3.Connection):
    traces = search(pipeline_of("{}"), Source(shop_connection), ALWAYS, limit=2)
    assert [one.trace.spans[0].service for one in traces] == ["worker", "orders"]


def test_sets_know_what_stages_found_out_about_them(shop_connection: sqlite3.Connection):
    query = "{ } | by(resource.service.name) | count() > 2 | avg(duration) > 1ms"
    (one,) = search(pipeline_of(query), Source(shop_connection), ALWAYS, limit=20)
    (spanset,) = one.spansets
    assert {name: str(value) for name, value in spanset.attributes.items()} == {
        "by(resource.service.name)": "orders",
        "count()": "3",
        "avg(duration)": "290ms",
    }


def test_relations_need_one_set_on_each_side(shop_connection: sqlite3.Connection):
    with pytest.raises(TraceQLError, match="consider using coalesce"):
        found(shop_connection, "({ } | by(kind)) >> { }")
