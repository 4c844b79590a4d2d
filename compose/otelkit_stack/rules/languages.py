"""The two languages of rules: reading their expressions, and asking the store."""

from __future__ import annotations

from otelkit_stack.logql.errors import LogQLError
from otelkit_stack.logql.evaluation import Steps, metric
from otelkit_stack.logql.parsing import parse as parse_logql
from otelkit_stack.logql.reading import Lines
from otelkit_stack.logql.syntax import LogQuery
from otelkit_stack.promql.grammar import parse as parse_promql
from otelkit_stack.promql.labels import NO_LABELS, Labels
from otelkit_stack.rules.asking import Ask, Vector
from otelkit_stack.rules.errors import RuleError
from otelkit_stack.rules.model import Language

_MS = 1_000_000
_STEP_NS = 1_000_000_000  # of an instant query, which has only one


def parsed(expression: str, language: Language) -> object:
    """The expression's tree. Raises ParseError or LogQLError for a text that is no such expression."""
    if language is Language.PROMQL:
        return parse_promql(expression)
    query = parse_logql(expression)
    if isinstance(query, LogQuery):
        raise LogQLError("rule is not a metric query: put a range aggregation around it, such as count_over_time(... [5m])")
    return query


def logql(lines: Lines) -> Ask:
    """Asks in LogQL. What it raises is RuleError; sqlite3.Error where the store cannot be read."""

    def ask(expression: str, time_ms: int) -> Vector:
        query = parse_logql(expression)
        if isinstance(query, LogQuery):
            raise RuleError("rule result is not a vector or scalar")
        try:
            found = metric(query, lines, Steps(time_ms * _MS, time_ms * _MS, _STEP_NS))
        except LogQLError as error:
            raise RuleError(str(error)) from error
        if isinstance(found, float):
            return ((NO_LABELS, found),)
        return [(Labels.of(labels), float(values[0])) for labels, values, present in found.rows() if present[0]]

    return ask
