"""What the store narrows is never missed: random queries over random traces, beside an evaluation that reads every trace."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from otelkit_stack.database import open_reader
from otelkit_stack.rows import Batch, ResourceRow, ScopeRow, SpanRow, content_id, json_text
from otelkit_stack.store import Store
from otelkit_stack.traceql import syntax as s
from otelkit_stack.traceql.errors import TraceQLError
from otelkit_stack.traceql.metrics import over_time
from otelkit_stack.traceql.parsing import parse
from otelkit_stack.traceql.pipeline import Spanset, runner
from otelkit_stack.traceql.reading import Source
from otelkit_stack.traceql.search import Window, search
from otelkit_stack.traceql.spans import Span
from otelkit_stack.traceql.steps import instant
from otelkit_stack.traceql.structure import related
from tests.stack.traceql.test_search import pipeline_of

ALWAYS = Window(0, 2**63 - 1)
SEED = 20_261_128
VALUES = ("a", "b", "1", 1, 2, 2.5, True, False, ["a", "b"], [1, 2], ["1"], {"a": 1}, None)
NAMES = ("x", "y", "service.name", "http.route", 'q"uote', "dotted.name")


def _attributes(chance: random.Random) -> dict[str, object]:
    return {name: chance.choice(VALUES) for name in chance.sample(NAMES, chance.randrange(4))}


def _spans(chance: random.Random, resources: list[ResourceRow], scopes: list[ScopeRow]) -> Iterator[SpanRow]:
    for number in range(120):
        ids = [chance.randbytes(8) for _ in range(chance.randrange(1, 7))]
        for place, span_id in enumerate(ids):
            parent = chance.choice([None, b"lost....", *ids[:place], *ids[:place], *ids[:place]])
            attributes = _attributes(chance)
            route = attributes.get("http.route")
            resource, scope = chance.choice(resources), chance.choice(scopes)
            yield SpanRow(
                trace_id=number.to_bytes(16),
                span_id=span_id,
                parent_span_id=parent,
                resource_id=resource.id,
                scope_id=scope.id,
                service=resource.service,
                name=chance.choice(("a", "b", "ab")),
                kind=chance.randrange(7),
                start_ns=1_000_000 * number + chance.randrange(10),
                duration_ns=chance.randrange(5),
                status=chance.randrange(4),
                status_message=chance.choice(("", "a")),
                route=route if isinstance(route, str) else None,
                attributes=json_text(attributes),
                events=json_text([[0, chance.choice("ab"), _attributes(chance)] for _ in range(chance.choice((0, 0, 1, 2)))]),
                links=json_text([["0" * 32, "0" * 16, _attributes(chance)] for _ in range(chance.choice((0, 0, 1)))]),
            )


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    chance = random.Random(SEED)
    resources = []
    for number in range(6):
        attributes = _attributes(chance)
        service = attributes.get("service.name")
        resources.append(ResourceRow(content_id(str(number)), service if isinstance(service, str) else "unknown", json_text(attributes)))
    scopes = [ScopeRow(content_id("scope", str(number)), "ab"[number % 2], "1", json_text(_attributes(chance))) for number in range(3)]
    folder: Path = tmp_path_factory.mktemp("random")
    with Store(folder, retention_s=None) as store:
        spans = [*_spans(chance, resources, scopes)]
        store.submit(Batch({row.id: row for row in resources}, {row.id: row for row in scopes}, spans=spans))
        store.flush()
        reader = open_reader(store.file)
        yield reader
        reader.close()


class _Queries:
    """Makes queries up; not all of them are valid."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def attribute(self) -> str:
        name = self._chance.choice(NAMES)
        scope = self._chance.choice((".", "span.", "span.", "resource.", "event.", "link.", "instrumentation."))
        return scope + (name if '"' not in name else f'"{name.replace(chr(34), chr(92) + chr(34))}"')

    def comparison(self) -> str:
        pick = self._chance.choice
        operator = pick(("=", "!=", "<", "<=", ">", ">="))
        match self._chance.randrange(12):
            case 0:
                return f"duration {operator} {pick((0, 1, 2.5, 3))}ns"
            case 1:
                return f"name {pick(('=', '!=', '=~', '!~', '>'))} `{pick(('a', 'b', 'a.*'))}`"
            case 2:
                return f"status {pick(('=', '!='))} {pick(('ok', 'error', 'unset'))}"
            case 3:
                return f"kind {pick(('=', '!='))} {pick(('server', 'client', 'unspecified'))}"
            case 4:
                return pick(
                    ("rootName = `a`", "rootServiceName = `a`", "traceDuration > 3ns", "nestedSetParent < 0", "nestedSetParent = -1")
                )
            case 5:
                return pick(
                    ("event:name = `a`", "event:name != `a`", "statusMessage = `a`", "instrumentation:name = `a`", "span:childCount > 0")
                )
            case 6:
                return f"{self.attribute()} {pick(('=', '!='))} nil"
            case 7:
                return f"{pick((1, 2, '`a`'))} {operator} {self.attribute()}"
            case 8:
                return f"{self.attribute()} {pick(('=~', '!~'))} `{pick(('a', 'a|b', '.*', '1'))}`"
            case 9:
                return f"{self.attribute()} {pick('+-*/%')} 1 {operator} 2"
            case 10:
                return self.attribute()
            case _:
                return f"{self.attribute()} {operator} {pick((1, 2, 2.5, '`a`', '`1`', 'true'))}"

    def condition(self, depth: int = 0) -> str:
        match self._chance.randrange(6):
            case 0 | 1 if depth < 3:
                return f"{self.condition(depth + 1)} {self._chance.choice(('&&', '||'))} ({self.condition(depth + 1)})"
            case 2 if depth < 3:
                return f"!({self.condition(depth + 1)})"
            case _:
                return self.comparison()

    def spansets(self, depth: int = 0) -> str:
        if depth < 2 and self._chance.random() < 0.4:
            operator = self._chance.choice(
                ("&&", "||", ">", "<", ">>", "<<", "~", "!>", "!<", "!>>", "!<<", "!~", "&>", "&<", "&>>", "&<<", "&~")
            )
            return f"({self.spansets(depth + 1)}) {operator} ({self.spansets(depth + 1)})"
        return f"{{ {self.condition()} }}"

    def query(self) -> str:
        stages = [self._chance.choice((self.spansets(), "{ }", "count() > 1"))]
        more = ("count() > 1", "by(name)", "coalesce()", "max(duration) > 1", "select(.x)")
        stages.extend(self._chance.choice((self.spansets(), *more)) for _ in range(self._chance.randrange(3)))
        return " | ".join(stages)


def _every_trace(connection: sqlite3.Connection, pipeline: s.Pipeline) -> dict[bytes, list[list[bytes]]]:
    source = Source(connection)
    run = runner(pipeline)
    ids = [row[0] for row in connection.execute("SELECT DISTINCT trace_id FROM span")]
    answers = {trace.spans[0].trace_id: run([Spanset(trace.spans)]) for trace in source.traces(ids)}
    return {key: ids for key, sets in answers.items() if (ids := _ids(sets))}


def _ids(sets: list[Spanset]) -> list[list[bytes]]:
    return [sorted(span.span_id for span in one.spans) for one in sets if one.spans]


def test_a_search_finds_what_an_evaluation_of_every_trace_finds(connection: sqlite3.Connection):
    """D1: 300 queries; what SQL and the span alone are asked first may cost time, and never an answer."""
    queries, compared, found_some = _Queries(random.Random(SEED)), 0, 0
    while compared < 300:
        query = queries.query()
        try:
            pipeline = pipeline_of(query)
            expected = _every_trace(connection, pipeline)
        except TraceQLError:
            continue
        found = search(pipeline, Source(connection), ALWAYS, limit=1000)
        assert {one.trace.spans[0].trace_id: _ids(one.spansets) for one in found} == expected, query
        compared += 1
        found_some += bool(expected)
    assert found_some > 100


def test_numbers_over_time_count_what_an_evaluation_of_every_trace_finds(connection: sqlite3.Connection):
    queries, compared = _Queries(random.Random(SEED + 1)), 0
    while compared < 100:
        query = queries.query()
        try:
            expected = sum(len(ids) for sets in _every_trace(connection, pipeline_of(query)).values() for ids in sets)
            body = parse(f"{query} | count_over_time()").body
        except TraceQLError:
            continue
        assert not isinstance(body, s.Pipeline)
        (series,) = over_time(body, Source(connection), instant(0, 10**9))
        assert series.values == [expected], query
        compared += 1


def test_relations_are_what_walking_up_the_tree_says(connection: sqlite3.Connection):
    chance = random.Random(SEED)
    ids = [row[0] for row in connection.execute("SELECT DISTINCT trace_id FROM span")]
    for trace in Source(connection).traces(ids):
        by_id = {span.span_id: span for span in trace.spans}
        left, right = ([span for span in trace.spans if chance.random() < 0.6] for _ in range(2))

        def above(span: Span, known: dict[bytes, Span] = by_id) -> list[Span]:
            """The span's parent, its parent and so on; nothing where that does not end at a root."""
            found: list[Span] = []
            while span.parent_id is not None:
                if span.parent_id not in known or len(found) > len(known):
                    return []
                span = known[span.parent_id]
                found.append(span)
            return found

        def stands(operator: str, one: Span, other: Span) -> bool:
            """Whether the right span stands in the relation to the left one."""
            match operator:
                case ">>":
                    return one in above(other)
                case ">":
                    return above(other)[:1] == [one]
                case "<<":
                    return other in above(one)
                case "<":
                    return above(one)[:1] == [other]
                case _:
                    both_roots = one.parent_id is None and other.parent_id is None
                    return one is not other and (both_roots or (bool(above(one)) and above(one)[:1] == above(other)[:1]))

        for operator in (">", "<", ">>", "<<", "~"):
            related_ = {id(other) for other in right if any(stands(operator, one, other) for one in left)}
            back = {id(one) for one in left if any(stands(operator, one, other) for other in right)}
            assert {*map(id, related(operator, left, right))} == related_
            assert {*map(id, related(f"!{operator}", left, right))} == {*map(id, right)} - related_
            assert {*map(id, related(f"&{operator}", left, right))} == related_ | back
