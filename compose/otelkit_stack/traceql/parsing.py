"""From the text of a query to its tree."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken, VisitError

from otelkit_stack.logql.errors import LogQLError
from otelkit_stack.logql.strings import unquoted
from otelkit_stack.logql.units import duration_ns
from otelkit_stack.traceql import stages
from otelkit_stack.traceql import syntax as s
from otelkit_stack.traceql.errors import NotSupportedError, ParseError, TraceQLError
from otelkit_stack.traceql.stages import Part
from otelkit_stack.traceql.validation import validated
from otelkit_stack.traceql.values import Duration, Kind, Status, Value, negative, type_of

LONGEST = 131_072
"""Characters of a query, as in Tempo."""

_INTRINSICS = {
    "trace": {"duration": "traceDuration", "rootName": "rootName", "rootService": "rootServiceName", "id": "trace:id"},
    "span": {
        "duration": "duration",
        "name": "name",
        "kind": "kind",
        "status": "status",
        "statusMessage": "statusMessage",
        "id": "span:id",
        "parentID": "span:parentID",
        "childCount": "span:childCount",
    },
    "event": {"name": "event:name", "timeSinceStart": "event:timeSinceStart"},
    "link": {"traceID": "link:traceID", "spanID": "link:spanID"},
    "instrumentation": {"name": "instrumentation:name", "version": "instrumentation:version"},
}
_NOT_ANSWERED = frozenset({"parent", "childCount"})
_QUOTED = re.compile(r'"((?:\\.|[^"\\])*)"')
_EXTREMES = {"minInt": -(2**63), "maxInt": 2**63 - 1}


@lru_cache(maxsize=256)
def parse(text: str) -> s.Query:
    """The query's tree, checked. Raises TraceQLError, of which ParseError is one kind."""
    if len(text) > LONGEST:
        raise TraceQLError(f"query expression size {len(text)} exceeds the limit of {LONGEST}")
    try:
        query: s.Query = _grammar().parse(text)  # type: ignore[assignment] # the transformer works while it parses
    except VisitError as error:
        raise error.orig_exc from None
    except UnexpectedInput as error:
        raise _worded(text, error) from None
    return validated(query)


@lru_cache(maxsize=256)
def parse_attribute(text: str) -> s.Attribute:
    """The attribute or intrinsic of that spelling, such as ``span.http.route`` or ``name``. Raises TraceQLError."""
    query = parse(f"{{}} | select({text})")
    match query.body:
        case s.Pipeline((_, s.Select((attribute,)))):
            return attribute
        case _:
            raise TraceQLError(f"{text} is not one attribute")


@cache
def _grammar() -> Lark:
    # Made once, when the first query comes: it takes a moment.
    text = files("otelkit_stack.traceql").joinpath("grammar.lark").read_text(encoding="utf-8")
    return Lark(
        text,
        parser="lalr",
        maybe_placeholders=True,
        transformer=_ToTree(),
        lexer_callbacks={"IDENTIFIER": _unknown},
        propagate_positions=False,
    )


def _unknown(token: Token) -> Token:
    raise ParseError(f"unknown identifier: {token}", token.line or 1, token.column or 1)


def _worded(text: str, error: UnexpectedInput) -> ParseError:
    lines = text.split("\n")
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        return ParseError("syntax error: unexpected $end", len(lines), len(lines[-1]) + 1)
    if isinstance(error, UnexpectedCharacters):
        rest = text[error.pos_in_stream :] if error.pos_in_stream is not None else ""
        word = re.match(r"\w+|.", rest)
        return ParseError(f"syntax error: unexpected {word[0] if word else rest[:1]}", error.line, error.column)
    token = error.token if isinstance(error, UnexpectedToken) else Token("", "")
    return ParseError(f"syntax error: unexpected {token}", error.line, error.column)


@v_args(inline=True)
class _ToTree(Transformer[Token, Any]):
    """Each method takes the children of the rule of its name."""

    # --- stages ---------------------------------------------------------------------------------------------------------

    def start(self, pipeline: Part, hints: dict[str, Value] | None = None) -> s.Query:
        return stages.query(pipeline, hints or {})

    def pipeline(self, *parts: Part) -> Part:
        return stages.pipeline(parts)

    def operation(self, left: Part, operator: Token, right: Part) -> Part:
        return stages.operation(left, operator, right)

    def wrapped(self, opened: Token, inner: Part) -> Part:
        return stages.wrapped(opened, inner)

    def filter(self, opened: Token, condition: s.Field | None) -> Part:
        return Part(stages.SPANSETS, s.Filter(s.Static(True) if condition is None else condition), opened)

    def plain(self, token: Token) -> float:
        return float(_number(token))

    def plain_number(self, token: Token) -> Part:
        return Part(stages.SCALAR, _number(token), token)

    def negative_number(self, sign: Token, token: Token) -> Part:
        if sign == "+":
            raise ParseError("syntax error: unexpected +", sign.line or 1, sign.column or 1)
        return Part(stages.SCALAR, negative(_number(token)), sign)

    def count(self, name: Token) -> Part:
        return Part(stages.SCALAR, s.Aggregate("count", None), name)

    def aggregate(self, name: Token, operand: s.Field) -> Part:
        return Part(stages.SCALAR, s.Aggregate(str(name), operand), name)

    def group(self, name: Token, by: s.Field) -> Part:
        return Part(stages.STAGE, s.Group(by), name)

    def coalesce(self, name: Token) -> Part:
        return Part(stages.STAGE, s.Coalesce(), name)

    def select(self, name: Token, attributes: tuple[s.Attribute, ...]) -> Part:
        return Part(stages.STAGE, s.Select(attributes), name)

    def attributes(self, *attributes: s.Attribute) -> tuple[s.Attribute, ...]:
        return attributes

    def by(self, _name: Token, attributes: tuple[s.Attribute, ...]) -> tuple[s.Attribute, ...]:
        return attributes

    def counting(self, name: Token, by: tuple[s.Attribute, ...] | None) -> Part:
        return Part(stages.AGGREGATION, s.MetricsAggregation(str(name), by=by or ()), name)

    def over_time(self, name: Token, attribute: s.Attribute, by: tuple[s.Attribute, ...] | None) -> Part:
        return Part(stages.AGGREGATION, s.MetricsAggregation(str(name), attribute, by=by or ()), name)

    def quantile(self, name: Token, attribute: s.Attribute, *rest: Any) -> Part:
        *quantiles, by = rest
        return Part(stages.AGGREGATION, s.MetricsAggregation(str(name), attribute, tuple(quantiles), by or ()), name)

    def compare(self, name: Token, selection: Part, *numbers: Token) -> Part:
        if len(numbers) not in (0, 1, 3):
            raise ParseError(
                "syntax error: compare() takes a filter, a number of values, and a start with an end", name.line or 1, name.column or 1
            )
        return Part(stages.AGGREGATION, s.Comparison(selection.node, *(int(_number(number)) for number in numbers)), name)

    def ranked(self, name: Token, limit: Token) -> Part:
        return Part(stages.SECOND, s.Ranked(str(name), int(limit)), name)  # type: ignore[arg-type]

    def hint(self, name: Token, operator: Token, value: s.Static) -> tuple[str, Value]:
        if operator != "=":
            raise ParseError(f"syntax error: unexpected {operator}", operator.line or 1, operator.column or 1)
        return str(name), value.value

    def hints(self, *pairs: tuple[str, Value]) -> dict[str, Value]:
        return dict(pairs)

    # --- conditions -----------------------------------------------------------------------------------------------------

    def inner(self, field: s.Field) -> s.Field:
        return field

    def logic(self, left: s.Field, operator: Token, right: s.Field) -> s.Logic:
        # Long lists of alternatives stay flat: their length is no depth.
        parts = left.parts if isinstance(left, s.Logic) and left.operator == operator else (left,)
        return s.Logic(str(operator), (*parts, right))

    def binary(self, left: s.Field, operator: Token, right: s.Field) -> s.Field:
        nils = [isinstance(side, s.Static) and side.value is None for side in (left, right)]
        if not any(nils):
            return s.Binary(str(operator), left, right)
        if operator not in ("=", "!="):
            raise ParseError("syntax error: unexpected nil", operator.line or 1, operator.column or 1)
        return s.Static(False) if all(nils) else s.Exists(right if nils[0] else left, negated=operator == "=")

    def unary(self, operator: Token, operand: s.Field) -> s.Field:
        if operator == "+":
            raise ParseError("syntax error: unexpected +", operator.line or 1, operator.column or 1)
        if operator == "-" and isinstance(operand, s.Static) and type_of(operand.value).is_numeric:
            return s.Static(negative(operand.value))
        return s.Unary(str(operator), operand)  # type: ignore[arg-type]

    def static(self, token: Token) -> s.Static:
        match token.type:
            case "STRING":
                return s.Static(_text(token))
            case "BOOLEAN":
                return s.Static(token == "true")  # noqa: S105 - no password
            case "STATUS":
                return s.Static(Status[token.upper()])
            case "KIND":
                return s.Static(Kind[token.upper()])
            case "NIL":
                return s.Static(None)
            case "EXTREME":
                return s.Static(_EXTREMES[token])
            case _:
                return s.Static(_number(token))

    def attribute(self, token: Token) -> s.Attribute:
        scope, _, name = token.partition(".")
        if scope == "parent":
            raise NotSupportedError(f"parent at line {token.line}, col {token.column}")
        return s.Attribute(scope, _QUOTED.sub(lambda quoted: re.sub(r"\\(.)", r"\1", quoted[1]), name))  # type: ignore[arg-type]

    def scoped_intrinsic(self, token: Token) -> s.Attribute:
        scope, _, name = token.partition(":")
        if name not in _INTRINSICS[scope]:
            raise ParseError(f"syntax error: unexpected {token}", token.line or 1, token.column or 1)
        return s.Attribute("intrinsic", _INTRINSICS[scope][name])

    def intrinsic(self, token: Token) -> s.Attribute:
        if token in _NOT_ANSWERED:
            raise NotSupportedError(f"intrinsic ({token}) at line {token.line}, col {token.column}")
        return s.Attribute("intrinsic", str(token))


def _text(token: Token) -> str:
    try:
        text = unquoted(token)
        text.encode()  # a half of a surrogate pair is no character, in Go and in SQLite
        return text
    except (LogQLError, UnicodeEncodeError):
        raise ParseError("invalid syntax", token.line or 1, token.column or 1) from None


def _number(token: Token) -> int | float | Duration:
    value: int | float | Duration
    match token.type:
        case "DURATION":
            value = Duration(duration_ns(token)) if len(token) < 100 else Duration(2**63)
        case "FLOAT":
            return float(token)
        case _:
            value = int(token) if len(token) < 100 else 2**63
    if value > _EXTREMES["maxInt"]:
        raise ParseError(f'parsing "{token[:40]}": value out of range', token.line or 1, token.column or 1)
    return value
