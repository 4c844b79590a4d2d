"""Queries as Prometheus writes them: on one line, or broken into several where they are long.

Source: ``promql/parser/printer.go`` and ``prettier.go`` of Prometheus 3.14. Numbers that were written as durations become
numbers, which in arithmetic with durations are seconds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from otelkit_stack.go_text import plain, quoted
from otelkit_stack.promql.durations import MILLISECOND
from otelkit_stack.promql.durations import text as duration_text
from otelkit_stack.promql.labels import METRIC_NAME
from otelkit_stack.promql.syntax import (
    Aggregate,
    At,
    Binary,
    Call,
    Duration,
    DurationTerm,
    Expression,
    Fixed,
    Matching,
    MatrixSelector,
    Number,
    Paren,
    String,
    Subquery,
    Unary,
    VectorSelector,
)
from otelkit_stack.selectors.matchers import Matcher

_LONGEST_LINE = 100
_PLAIN_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*", re.ASCII)
_PLAIN_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)


def printed(expression: Expression) -> str:
    """The query on one line."""
    match expression:
        case Number(value):
            return plain(value)
        case String(value):
            return quoted(value)
        case VectorSelector():
            return _selector(expression) + _moved(expression.offset, expression.at)
        case MatrixSelector(selector, length):
            return f"{_selector(selector)}[{_length(length)}]{_moved(selector.offset, selector.at)}"
        case Subquery(inner):
            return printed(inner) + _suffix(expression)
        case Call(function, arguments):
            return f"{function.name}({', '.join(map(printed, arguments))})"
        case Aggregate(_, inner, parameter):
            first = f"{printed(parameter)}, " if parameter is not None else ""
            return f"{_aggregation(expression)}({first}{printed(inner)})"
        case Unary(operator, inner):
            return f"{operator}{printed(inner)}"
        case Paren(inner):
            return f"({printed(inner)})"
        case Fixed(inner):
            return printed(inner)
        case Binary(_, left, right):
            return f"{printed(left)} {_operator(expression)} {printed(right)}"


def pretty(expression: Expression, level: int = 0) -> str:
    """The query with a line for each of its parts, two spaces a level, where one line would hold more than 100 characters."""
    indent, line = "  " * level, printed(expression)
    if isinstance(expression, Fixed):
        return pretty(expression.expression, level)
    if isinstance(expression, Unary):
        return f"{indent}{expression.operator}{pretty(expression.expression, level).strip()}"
    if len(line.encode()) <= _LONGEST_LINE:
        return indent + line
    match expression:
        case Aggregate(_, inner, parameter):
            return _block(f"{_aggregation(expression)}(", [*([parameter] if parameter is not None else []), inner], level)
        case Call(function, arguments):
            return _block(f"{function.name}(", arguments, level)
        case Paren(inner):
            return _block("(", [inner], level)
        case Binary(_, left, right):
            return f"{pretty(left, level + 1)}\n{indent}{_operator(expression)}\n{pretty(right, level + 1)}"
        case Subquery(inner):
            return pretty(inner, level) + _suffix(expression)
    return indent + line


def _block(opening: str, parts: Sequence[Expression], level: int) -> str:
    indent = "  " * level
    inside = ",\n".join(pretty(part, level + 1) for part in parts)
    return f"{indent}{opening}\n{inside}\n{indent})"


def _aggregation(expression: Aggregate) -> str:
    if not expression.labels and not expression.is_without:
        return expression.operator
    return f"{expression.operator} {'without' if expression.is_without else 'by'} ({_labels(expression.labels)}) "


def _operator(expression: Binary) -> str:
    return f"{expression.operator}{' bool' if expression.is_bool else ''}{_matching(expression.matching)}"


def _matching(matching: Matching) -> str:
    is_said = matching.is_on or bool(matching.labels)
    text = f" {'on' if matching.is_on else 'ignoring'} ({_labels(matching.labels)})" if is_said else ""
    sides = {"many-to-one": "left", "one-to-many": "right"}
    if matching.cardinality in sides:
        text += f" group_{sides[matching.cardinality]} ({_labels(matching.include)})"
    return text


def _labels(names: Sequence[str]) -> str:
    return ", ".join(name if _PLAIN_LABEL.fullmatch(name) else quoted(name) for name in names)


def _selector(selector: VectorSelector) -> str:
    is_plain = _PLAIN_NAME.fullmatch(selector.name) is not None
    others = (one for one in selector.matchers if (one.name, one.operator, one.value) != (METRIC_NAME, "=", selector.name))
    matchers = sorted(map(_matcher, others))
    if selector.name and not is_plain:
        matchers.insert(0, quoted(selector.name))
    name = selector.name if is_plain else ""
    return f"{name}{{{','.join(matchers)}}}" if matchers else name


def _matcher(matcher: Matcher) -> str:
    name = matcher.name if _PLAIN_LABEL.fullmatch(matcher.name) else quoted(matcher.name)
    return f"{name}{matcher.operator}{quoted(matcher.value)}"


def _suffix(subquery: Subquery) -> str:
    step = "" if subquery.step is None else _length(subquery.step)
    return f"[{_length(subquery.range)}:{step}]{_moved(subquery.offset, subquery.at)}"


def _moved(offset: Duration, at: At) -> str:
    text = ""
    if at is not None:
        text += f" @ {at}()" if isinstance(at, str) else f" @ {at / 1000:.3f}"
    if offset:
        text += f" offset {_length(offset)}"
    return text


def _length(duration: Duration) -> str:
    if isinstance(duration, DurationTerm):
        return _term(duration)
    return f"-{duration_text(-duration // MILLISECOND)}" if duration < 0 else duration_text(duration // MILLISECOND)


def _term(term: DurationTerm | float | None) -> str:
    """Arithmetic with lengths, in parentheses: behind ``offset`` it would be arithmetic with series without them."""
    if not isinstance(term, DurationTerm):
        return "" if term is None else plain(term)
    if term.operator in ("step", "range"):
        return f"{term.operator}()"
    if term.operator in ("max_of", "min_of"):
        return f"{term.operator}({_term(term.left)}, {_term(term.right)})"
    return f"{term.operator}{_term(term.right)}" if term.left is None else f"({_term(term.left)} {term.operator} {_term(term.right)})"
