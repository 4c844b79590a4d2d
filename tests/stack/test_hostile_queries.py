"""Queries that are made to break whoever reads them are 400 with a reason, over HTTP, and the stack answers the next one."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import httpx
import pytest

from otelkit_stack.selectors.regex import RegexError, compiled
from otelkit_stack.testing import RunningStack, running_stack
from tests.stack.otlp_requests import logs, post, span, traces
from tests.stack.random_otlp import REQUESTS

post_form = partial(httpx.post, verify=False, timeout=60)
get = partial(httpx.get, verify=False, timeout=60)

EXPRESSIONS = {
    "groups": "(" * 5_000 + "a" + ")" * 5_000,
    "some groups": "(" * 400 + "a" + ")" * 400,
    "groups that repeat": "(" * 3_000 + "a" + ")*" * 3_000,
    "groups without a name": "(?:" * 3_000 + "a" + ")" * 3_000,
    "flags": "(?i)" * 3_000 + "a",
    "flags of groups": "(?i:" * 3_000 + "a" + ")" * 3_000,
    "open groups": "(" * 5_000,
    "alternatives in groups": "(a|" * 3_000 + "a" + ")" * 3_000,
    "length": "a|" * 40_000,
}
LANGUAGES = {
    "a matcher of PromQL": ("/api/v1/query", "query", 'up{{job=~"{}"}}'),
    "a negative matcher of PromQL": ("/api/v1/query", "query", 'up{{job!~"{}"}}'),
    "an argument of PromQL": ("/api/v1/query", "query", 'label_replace(vector(1), "a", "$1", "b", "{}")'),
    "a selector of series": ("/api/v1/series", "match[]", 'up{{job=~"{}"}}'),
    "a matcher of LogQL": ("/loki/api/v1/query_range", "query", '{{service_name=~"{}"}}'),
    "a line filter of LogQL": ("/loki/api/v1/query_range", "query", '{{service_name=~".+"}} |~ "{}"'),
    "a label filter of LogQL": ("/loki/api/v1/query_range", "query", '{{service_name=~".+"}} | json | a=~"{}"'),
    "a parser of LogQL": ("/loki/api/v1/query_range", "query", '{{service_name=~".+"}} | regexp "(?P<x>{})"'),
    "a comparison of TraceQL": ("/api/search", "q", '{{ name =~ "{}" }}'),
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """A stack with a span and a line, so that an expression would be used."""
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        post(running.url, traces(span("00f067aa0ba902b7")))
        post(running.url, logs(REQUESTS["/v1/logs"]().resource_logs.add().scope_logs.add().log_records.add()))  # type: ignore[attr-defined]
        running.flush()
        yield running


@pytest.mark.parametrize(
    ("language", "expression"),
    # Tempo takes no forms, and what is too long for an address nobody reads.
    [
        (language, expression)
        for language, (_, name, _) in LANGUAGES.items()
        for expression in EXPRESSIONS
        if (name, expression) != ("q", "length")
    ],
)
def test_a_hostile_expression_is_400_in_every_language(stack: RunningStack, language: str, expression: str):
    path, name, query = LANGUAGES[language]
    asked = {name: query.format(EXPRESSIONS[expression])}
    answer = get(stack.url + path, params=asked) if name == "q" else post_form(stack.url + path, data=asked)
    # Prometheus looks at arguments of functions only when it evaluates them, which is another status.
    assert answer.status_code == (422 if "argument" in language else 400), answer.text[:300]
    assert len(answer.text) < 400_000
    assert get(stack.url + "/-/ready").status_code == 200


@pytest.mark.parametrize("language", LANGUAGES)
def test_thirty_groups_within_one_another_are_none_too_many(stack: RunningStack, language: str):
    path, name, query = LANGUAGES[language]
    asked = {name: query.format("(" * 30 + "a" + ")" * 30)}
    answer = get(stack.url + path, params=asked) if name == "q" else post_form(stack.url + path, data=asked)
    assert answer.status_code == 200, answer.text[:300]


def test_the_reason_is_re2s():
    with pytest.raises(RegexError, match=r"^error parsing regexp: expression nests too deeply: `\({100}\.\.\.`$"):
        compiled(EXPRESSIONS["groups"])
    assert compiled("(" * 100 + "a" + ")" * 100).fullmatch("a")
    assert compiled("(?i)(a)" * 50).fullmatch("aA" * 25)


@pytest.mark.parametrize(
    ("path", "name", "query"),
    [
        ("/api/v1/query", "query", "(" * 5_000 + "1" + ")" * 5_000),
        ("/api/v1/query", "query", "-" * 5_000 + "up"),
        ("/api/v1/query", "query", "sum(" * 5_000 + "up" + ")" * 5_000),
        ("/api/v1/parse_query", "query", "(" * 5_000 + "1" + ")" * 5_000),
        ("/api/v1/format_query", "query", "(" * 5_000 + "1" + ")" * 5_000),
        ("/loki/api/v1/query", "query", "(" * 5_000 + "vector(1)" + ")" * 5_000),
        ("/loki/api/v1/query_range", "query", '{a="b"} | ' + "(" * 5_000 + 'a="b"' + ")" * 5_000),
        ("/api/search", "q", "{ " + "(" * 5_000 + "true" + ")" * 5_000 + " }"),
        ("/api/search", "q", "(" * 5_000 + "{ }" + ")" * 5_000),
    ],
)
def test_a_query_that_nests_deeply_is_answered_or_refused(stack: RunningStack, path: str, name: str, query: str):
    answer = get(stack.url + path, params={name: query}) if name == "q" else post_form(stack.url + path, data={name: query})
    assert answer.status_code in (200, 400, 422), answer.text[:300]
    assert get(stack.url + "/-/ready").status_code == 200
