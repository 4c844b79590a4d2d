"""What is TraceQL and what is not: every query of our boards, what Tempo refuses with the place of the fault, and hostile texts."""

from __future__ import annotations

import sqlite3
from contextlib import suppress

import pytest

from otelkit.catalog.labels import SERVICE_NAME
from otelkit.catalog.promql import equals
from otelkit.catalog.traceql import KNOWN_LABELS, attribute_name, spans
from otelkit_dashboards.boards import BOARDS
from otelkit_dashboards.panels import Language
from otelkit_stack.traceql.errors import TooMuchError, TooSlowError, TraceQLError
from otelkit_stack.traceql.parsing import LONGEST, parse, parse_attribute
from otelkit_stack.traceql.reading import Source
from otelkit_stack.traceql.search import Window, search
from otelkit_stack.traceql.syntax import Pipeline
from tests.stack.traceql.test_search import found, pipeline_of

OF_BOARDS = [
    pytest.param(query.expr.text, id=f"{board.fact.uid}-{panel.key}")
    for board in BOARDS
    for panel in board.panels
    for query in panel.queries
    if query.language is Language.TRACEQL
]


def test_there_are_queries_on_our_boards():
    assert OF_BOARDS


@pytest.mark.parametrize("text", OF_BOARDS)
def test_a_query_of_our_boards_is_one(text: str):
    """D1: every TraceQL string parses. A trace's id alone is none, and Grafana asks for that trace."""
    if text.startswith("$"):
        return
    assert isinstance(parse(text.replace("$", "")).body, Pipeline)


@pytest.mark.parametrize("label", sorted(KNOWN_LABELS, key=lambda label: label.name), ids=lambda label: label.name)
def test_an_attribute_of_the_catalogue_is_one(label):
    """D1: what our builders can write, the stack can read."""
    scope, _, name = attribute_name(label).partition(".")
    attribute = parse_attribute(attribute_name(label))
    assert (attribute.scope, attribute.name) == (scope, name)


def test_what_the_builders_write_is_read():
    query = spans(equals(SERVICE_NAME, 'or"ders'), status="error", kind="server", longer_than=0.0005).having_below(spans(kind="client"))
    assert isinstance(parse(str(query.select(SERVICE_NAME))).body, Pipeline)


REFUSED = [
    ("", "parse error at line 1, col 1: syntax error: unexpected $end"),
    ("{", "parse error at line 1, col 2: syntax error: unexpected $end"),
    ("{ .a = 3", "line 1, col 9: syntax error: unexpected $end"),
    ("{ .a = }", "line 1, col 8: syntax error: unexpected }"),
    ("{ .a\n == 4 }", "line 2, col 3: syntax error: unexpected ="),
    ("{ attribute = 4 }", "line 1, col 3: unknown identifier: attribute"),
    ("{ span. }", "line 1, col 3"),
    ("true", "line 1, col 1: syntax error: unexpected true"),
    ("( true )", "line 1, col 3: syntax error: unexpected true"),
    ("{ true } + { true }", "line 1, col 10: syntax error: unexpected +"),
    ("{ true } = { true }", "line 1, col 10: syntax error: unexpected ="),
    ("{ true } <= { true }", "line 1, col 10: syntax error: unexpected <="),
    ("{ true } { true }", "line 1, col 10: syntax error: unexpected {"),
    ("count() > 3 && { true }", "line 1, col 13: syntax error: unexpected &&"),
    ("coalesce() | { true }", "line 1, col 1: syntax error: unexpected coalesce"),
    ("(coalesce()) && { true }", "line 1, col 2: syntax error: unexpected coalesce"),
    ("{ true } | count()", "a number of spans must be compared"),
    ("{ true } | count = 1", "line 1, col 18: syntax error: unexpected ="),
    ("{ true } | max() = 1", "line 1, col 16: syntax error: unexpected )"),
    ("{ true } | by()", "line 1, col 15: syntax error: unexpected )"),
    ("{ true } | noAggregate() = 1", "line 1, col 12: syntax error: unexpected noAggregate"),
    ("({ true }) && (count())", "line 1, col 12: syntax error: unexpected &&"),
    ("select(.a", "line 1, col 10: syntax error: unexpected $end"),
    ("select(1 + 2)", "line 1, col 8: syntax error: unexpected 1"),
    ("{ } | rate() | { }", "line 1, col 16: syntax error"),
    ("rate()", "line 1, col 1: syntax error: unexpected rate"),
    ("{ } | topk(3)", "line 1, col 7: syntax error: unexpected topk"),
    ("{ } | rate() + ({ } | rate())", "line 1, col 14: syntax error: unexpected +"),
    ("{ trace:status = error }", "line 1, col 3: syntax error: unexpected trace:status"),
    ("{ span:rootName = `a` }", "line 1, col 3: syntax error: unexpected span:rootName"),
    ("{ .a > nil }", "line 1, col 6: syntax error: unexpected nil"),
    ('{ .a = "\\q" }', "line 1, col 8: invalid syntax"),
    ("{ .a = 99999999999999999999 }", "value out of range"),
    ("{ duration > 999999999y }", "value out of range"),
    # --- types ---
    ("{ status }", "span filter field expressions must resolve to a boolean: { status }"),
    ("{ 1 + 1 }", "span filter field expressions must resolve to a boolean: { 1 + 1 }"),
    ('{ 1 + "foo" = 1 }', "binary operations must operate on the same type: 1 + `foo`"),
    ("{ 1 = name }", "binary operations must operate on the same type: 1 = name"),
    ("{ rootServiceName = 1 }", "binary operations must operate on the same type"),
    ("{ 1 && true }", "illegal operation for the given types: 1 && true"),
    ("{ true || 1.1 }", "illegal operation for the given types"),
    ("{ status > ok }", "illegal operation for the given types: status > ok"),
    ("{ kind < consumer }", "illegal operation for the given types"),
    ("{ 1 =~ 2 }", "illegal operation for the given types"),
    ("{ -true }", "illegal operation for the given type: -true"),
    ('{ -"foo" = "bar" }', "illegal operation for the given type"),
    ("{ !name = `a` }", "illegal operation for the given type: !name"),
    ("{ nestedSetLeft = `foo` }", "binary operations must operate on the same type"),
    ('{ span.foo =~ "[" }', "invalid regex: [: error parsing regexp: missing closing ]"),
    ('{ span.foo =~ "a(?=b)" }', "invalid or unsupported Perl syntax"),
    ("{ name =~ `(a+)+b` }", "a repetition of a repetition, at character 4 of the regex (a+)+b, is not supported"),
    ("{ name =~ `((a|b*)c)*` }", "a repetition of a repetition"),
    ("{ true } | max(name) = 1", "aggregate field expressions must resolve to a number type: max(name)"),
    ("{ true } | sum(3) = 2", "aggregate field expressions must reference the span: sum(3)"),
    ("{ true } | by(1)", "grouping field expressions must reference the span: by(1)"),
    ("{ } | rate() by (name) | topk(0)", "limit must be greater than 0"),
    ("{ } | quantile_over_time(duration, 1.5)", "quantile must be between 0 and 1: 1.5"),
    # --- what Tempo's grammar knows and nobody answers ---
    ("{ parent.a != 3 }", "parent at line 1, col 3 not yet supported"),
    ("{ parent = nil }", "intrinsic (parent) at line 1, col 3 not yet supported"),
    ("{ childCount > 2 }", "intrinsic (childCount) at line 1, col 3 not yet supported"),
    ("min(.a) < max(duration)", "a scalar filter other than an aggregate and a number at line 1, col 9 not yet supported"),
    ("{ } | count() + count() = 1", "not yet supported"),
    ("3 = 2", "not yet supported"),
    ("({ } | count()) > ({ } | count())", "not yet supported"),
    ("{ } | rate() by (.a, .b, .c, .d, .e, .f)", "metrics group by 6 values not yet supported"),
    ("{ .a =~ .b }", "=~ with anything but a text at its right side, .b, not yet supported"),
    ("{ } | compare({ status = error }, 1, 2)", "line 1, col 7: syntax error: compare() takes a filter"),
    ("{ } | compare({ status = error }, 0)", "compare() top number of values must be integer greater than 0"),
    ("{ } | compare({ status = error }, 10, 5, 4)", "compare() end timestamp must be greater than start timestamp"),
    ("{ } | compare({ status })", "span filter field expressions must resolve to a boolean: { status }"),
]


@pytest.mark.parametrize(("text", "said"), REFUSED, ids=[text for text, _ in REFUSED])
def test_what_is_no_query_is_refused_with_its_place(text: str, said: str):
    """Never a wrong answer: what is not understood, or not answered, is said."""
    with pytest.raises(TraceQLError) as raised:
        parse(text)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000 + "{ }" + ")" * 10_000,
        "{ " + "(" * 10_000 + "true" + ")" * 10_000 + " }",
        "{ " + "!" * 10_000 + "true }",
        "{ " + "-" * 10_001 + "1 = 1 }",
        "{ 1" + " + 1" * 10_000 + " = 1 }",
        "{ 2" + " ^ 2" * 10_000 + " = 1 }",
        "{ }" + " && { }" * 10_000,
        "{ }" + " >> { }" * 5_000,
        "{ .a" * 1000,
        "{ .a = `" + "x" * LONGEST,
        "{ name =~ `" + "(a|" * 5_000 + "b" + ")" * 5_000 + "` }",
        "{ .a = " + "9" * 100_000 + " }",
        "{ .a = 1 || \x00 }",
        "\ud800",
        '{ name = "\\ud800" }',
        "{ " + "(" * 90 + " || ".join(" && ".join(["kind = server"] * 9) for _ in range(90)) + ")" * 90 + " }",
        "{ " + "(.a = 1 || (.b = 2 && " * 90 + "true" + "))" * 90 + " }",
    ],
    ids=lambda text: text[:12].encode("unicode_escape").decode(),
)
def test_a_hostile_query_is_answered_or_refused_and_never_breaks_anything(shop_connection: sqlite3.Connection, text: str):
    with suppress(TraceQLError):
        search(pipeline_of(text), Source(shop_connection), Window(0, 2**63 - 1), limit=20)


def test_a_long_list_of_alternatives_is_no_depth(shop_connection: sqlite3.Connection):
    """A variable of a board with all of its values chosen becomes such a query."""
    routes = " || ".join(f'span.http.route = "/{number}"' for number in range(2_000))
    assert found(shop_connection, f'{{ {routes} || span.http.route = "/orders" }}') == ["a3"]
    names = "|".join(f"name{number}" for number in range(2_000))
    assert found(shop_connection, f'{{ name =~ "{names}|POST" }}') == ["a2"]


def test_what_repeats_without_repeating_itself_is_a_regex():
    for regex in (".*a.*b", "(ab)+", "([a-z+*]+)?", r"(\+)*", "(a|b)*c+", "(?:x{2,3})+", "[(+]+(a)*"):
        assert parse(f"{{ name =~ `{regex}` }}")


def test_a_power_of_a_power_takes_no_time(shop_connection: sqlite3.Connection):
    assert found(shop_connection, "{ 1000 ^ 1000 ^ 1000 = 1 }") == []
    assert found(shop_connection, "{ 10.5 ^ 1000 > 1 }") == []  # no number is that large


def test_a_query_reads_no_more_than_it_may(shop_connection: sqlite3.Connection):
    with pytest.raises(TooMuchError, match="the query reads more than 3 spans"):
        search(pipeline_of("{ }"), Source(shop_connection, most_spans=3), Window(0, 2**63 - 1), limit=20)
    with pytest.raises(TooSlowError, match="the query took longer than 0 s"):
        search(pipeline_of("{ }"), Source(shop_connection, timeout_s=0), Window(0, 2**63 - 1), limit=20)
