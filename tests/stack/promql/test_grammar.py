"""Text is understood as Prometheus understands it, and what is wrong with it is said in its words."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import promql_parser
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from otelkit_dashboards import every_query
from otelkit_dashboards.panels import Language
from otelkit_stack.promql.answers import failure
from otelkit_stack.promql.errors import NotEnabledError, ParseError
from otelkit_stack.promql.grammar import parse
from otelkit_stack.promql.syntax import MatrixSelector, Number, String, VectorSelector
from tests.stack.promql import random_queries, second_opinion
from tests.stack.promql.shared_files import shared_folder
from tests.stack.promql.wrong_queries import WRONG

RULES = Path(__file__).parents[3] / "alerts" / "generated" / "prometheus"
ONLY_OURS = re.compile(r"\(1m \* 2\)|\(30s \+ 1m\)|2m \+ 30s|@ -1|offset 0s|</|>/")
"""What promql-parser does not read: arithmetic with durations, times before 1970, an offset of nothing, operators on native histograms."""


def queries_we_ship() -> Iterator[str]:
    for query in every_query({"route": "/orders/{pk}"}):
        if query.language is Language.PROMQL:
            yield query.expression
    for file in RULES.glob("*.yaml"):
        for group in yaml.safe_load(file.read_text())["groups"]:
            yield from (rule["expr"] for rule in group["rules"])


def test_two_parsers_understand_the_queries_of_our_boards_and_rules_alike() -> None:
    queries = sorted(set(queries_we_ship()))
    assert len(queries) > 100
    for query in queries:
        assert second_opinion.ours(parse(query)) == second_opinion.theirs(promql_parser.parse(query)), query


def test_two_parsers_understand_made_up_queries_alike() -> None:
    queries = [question.query for question in random_queries.made_up(5, 1500) if not ONLY_OURS.search(question.query)]
    compared = 0
    for query in queries:
        try:
            expression = parse(query)
        except ParseError:
            with pytest.raises(ValueError, match=r"."):
                promql_parser.parse(query)
        else:
            assert second_opinion.ours(expression) == second_opinion.theirs(promql_parser.parse(query)), query
            compared += 1
    assert compared > 1000


@pytest.mark.parametrize(
    ("query", "same"),
    [
        ("-a ^ 2", "-(a ^ 2)"),
        ("-a * b", "(-a) * b"),
        ("2 ^ 3 ^ 2", "2 ^ (3 ^ 2)"),
        ("2 ^ -a * b", "(2 ^ (-a)) * b"),
        ("a - b - c", "(a - b) - c"),
        ("a or b and c", "a or (b and c)"),
        ("a > b == c", "(a > b) == c"),
        ("a + b * c % d", "a + ((b * c) % d)"),
        ("a atan2 b ^ c", "a atan2 (b ^ c)"),
        ("a + b offset 1m", "a + (b offset 1m)"),
        ("SUM BY (x) (a)", "sum(a) by (x)"),
        ("sum by (x,) (a)", "sum by (x) (a)"),
        ('{"a.b", "c d"="e"}', '{__name__="a.b", "c d"="e"}'),
        ("a[1h30m]", "a[90m]"),
        ("a[90]", "a[90s]"),
        ("a offset -1m", "a offset -60"),
        ("a # a remark\n + b", "a + b"),
        ("sum + by + offset", "(sum + by) + offset"),
    ],
)
def test_precedence_and_other_spellings(query: str, same: str) -> None:
    assert second_opinion.ours(parse(query)) == second_opinion.ours(parse(same))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("010", 8),
        ("08", 8),
        ("0x1F", 31),
        ("1_000", 1000),
        ("1e3", 1000),
        (".5", 0.5),
        ("5.", 5),
        ("5m", 300),
        ("1h30m", 5400),
        ("inf", float("inf")),
    ],
)
def test_numbers_are_written_in_all_of_go_s_ways(text: str, value: float) -> None:
    assert parse(text) == Number(value, 0)


@pytest.mark.parametrize(
    ("literal", "text"),
    [
        (r'"a\"b\\\n"', 'a"b\\\n'),
        (r"'it\'s'", "it's"),
        (r"`\n`", r"\n"),
        (r'"ä\u00e4\U0001F600"', "ää😀"),
        (r'"\303\244\xc3\xa4"', "ää"),
        (r'"\xc5z"', "\udcc5z"),
    ],
)
def test_strings_are_written_in_all_of_go_s_ways(literal: str, text: str) -> None:
    assert parse(literal) == String(text, 0)


def test_a_range_belongs_to_its_selector_with_offset_and_at() -> None:
    expression = parse("x[5m] @ 1.5 offset 1m")
    assert isinstance(expression, MatrixSelector)
    assert expression.selector == VectorSelector("x", expression.selector.matchers, 0, 60_000_000_000, 1500)


@pytest.mark.parametrize("query", [query for query in WRONG if "step()" not in query and "range()" not in query and "^2" not in query])
def test_what_is_no_promql_is_refused_with_its_place(query: str) -> None:
    with pytest.raises(ParseError, match=r"^(\d+:\d+|unknown position): parse error: ."):
        parse(query)


def test_an_unfinished_call_is_refused_as_prometheus_did_when_it_was_asked() -> None:
    folder = shared_folder("captured")
    if folder is None:
        pytest.skip("the captured answers are not here: ../shared/captured")
    captured = json.loads((folder / "prom_error_bad_query.json").read_text())
    with pytest.raises(ParseError) as refused:
        parse(captured["request"]["params"]["query"])
    assert failure(refused.value) == captured["body"]


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("limitk(1, x)", "limitk() is experimental and must be enabled with --enable-feature=promql-experimental-functions"),
        ("info(x)", 'function "info" is not enabled'),
        ("mad_over_time(x[5m])", 'function "mad_over_time" is not enabled'),
        ("rate(x[5m] anchored)", "anchored modifier is experimental and not enabled"),
        ("a + fill(0) b", "binop fill modifiers are experimental and not enabled"),
        ("step()", 'function "step" is not enabled'),
    ],
)
def test_what_is_experimental_is_refused_by_name(query: str, reason: str) -> None:
    with pytest.raises(NotEnabledError) as refused:
        parse(query)
    assert str(refused.value).endswith(f": parse error: {reason}")


def test_a_place_is_counted_in_lines_and_bytes() -> None:
    with pytest.raises(ParseError, match=r'^2:14: parse error: unexpected identifier "y"$'):
        parse('x\n + z{a="ä"} y')


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet="abx_:{}()[],\"'`\\=~!<>+-*/%^@#.019msoe \nä", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ParseError):
        parse(text)


FRAGMENTS = [
    "sum",
    "by",
    "(",
    ")",
    "x",
    "rate",
    "[5m",
    "]",
    ":",
    "offset",
    "@",
    "start()",
    "1",
    "-",
    "+",
    "and",
    "on",
    "{a=",
    '"b"',
    "}",
    ",",
    "bool",
    "group_left",
    "5m",
]


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=14))
def test_any_tokens_are_read_or_refused(fragments: list[str]) -> None:
    with contextlib.suppress(ParseError):
        parse(" ".join(fragments))
