"""The parameter ``match[]`` of Prometheus' API: selectors of series."""

from __future__ import annotations

from otelkit_stack.promql.errors import BadParameterError, ParseError
from otelkit_stack.promql.grammar import parse
from otelkit_stack.promql.syntax import VectorSelector
from otelkit_stack.selectors.matchers import Matcher


def matchers_of(selector: str) -> tuple[Matcher, ...]:
    """The conditions of a selector. Raises QueryError for a text that is none, or that every series would fit."""
    try:
        expression = parse(selector)
    except ParseError as error:
        raise BadParameterError(f'invalid parameter "match[]": {error}') from error
    if not isinstance(expression, VectorSelector):
        raise BadParameterError(f'invalid parameter "match[]": "{selector}" is no selector of series')
    return expression.matchers
