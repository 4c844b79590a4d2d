"""Which language a query is written in."""

from __future__ import annotations

import re

from otelkit_stack.logql.errors import LogQLError
from otelkit_stack.logql.parsing import parse as parse_logql
from otelkit_stack.promql.errors import ParseError
from otelkit_stack.promql.grammar import parse as parse_promql
from otelkit_stack.promql.labels import METRIC_NAME
from otelkit_stack.promql.tree import selectors_of

LANGUAGES = ("promql", "logql", "traceql")

_SPANSET = re.compile(
    r"""\{\s*(\}|true|\(|!|[.]
    |(span|resource|event|link|instrumentation|trace|parent)[.:]
    |(name|status|statusMessage|kind|duration|traceDuration|rootName|rootServiceName|childCount)\s*(=|!=|>|<|=~|!~))""",
    re.VERBOSE,
)


def language_of(text: str) -> str:
    """One of :data:`LANGUAGES`; what none of them can be is taken for what it begins like.

    A selector without a name of a metric means log lines, though PromQL knows such selectors too.
    """
    try:
        selectors = selectors_of(parse_promql(text))
        if all(any(matcher.name == METRIC_NAME for matcher in selector.matchers) for selector in selectors):
            return "promql"
    except ParseError:
        pass
    try:
        parse_logql(text)
    except LogQLError:
        if _SPANSET.search(text):
            return "traceql"
        return "logql" if text.lstrip().startswith("{") else "promql"
    return "logql"
