"""From the text of a query to its tree."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedInput, VisitError

from otelkit_stack.logql import syntax as s
from otelkit_stack.logql.errors import LogQLError, ParseError
from otelkit_stack.logql.filters import READERS, AddressFilter, AddressRange, AndFilter, LabelFilter, NumberFilter, OrFilter, TextFilter
from otelkit_stack.logql.stages.choosing import Choice, Drop, FilterStage, Keep
from otelkit_stack.logql.stages.formats import LabelFormat, LineFormat
from otelkit_stack.logql.stages.json_parser import JsonParser
from otelkit_stack.logql.stages.line_filters import LineFilter
from otelkit_stack.logql.stages.logfmt_parser import LogfmtParser
from otelkit_stack.logql.stages.other_parsers import Decolorize, RegexpParser, Unpack
from otelkit_stack.logql.stages.patterns import PatternParser
from otelkit_stack.logql.strings import unquoted
from otelkit_stack.logql.units import duration_ns, size_bytes
from otelkit_stack.logql.validation import validated
from otelkit_stack.logql.wording import worded
from otelkit_stack.selectors.matchers import Matcher
from otelkit_stack.selectors.regex import RegexError

_LONGEST = 131_072
"""Characters of a query, as in Loki."""


@lru_cache(maxsize=256)
def parse(text: str) -> s.Query:
    """The query's tree, checked. Raises LogQLError, of which ParseError is one kind."""
    try:
        return validated(_tree(text))
    except RecursionError:
        raise _too_deep() from None


def selector(text: str) -> tuple[Matcher, ...]:
    """The conditions of a selector, which may be ``{}``. Raises LogQLError for any other query."""
    tree = _tree(text)
    if not isinstance(tree, s.LogQuery) or tree.stages:
        raise LogQLError("only label matchers are supported")
    return tree.matchers


def _tree(text: str) -> s.Query:
    if not text.strip():
        raise ParseError("syntax error: unexpected $end")
    if len(text) > _LONGEST:
        raise LogQLError(f"parse error : input size too long ({len(text)} > {_LONGEST})")
    try:
        tree: s.Query = _ToTree().transform(_grammar().parse(text))
    except VisitError as error:
        if isinstance(error.orig_exc, RegexError):
            raise LogQLError(f"parse error : {error.orig_exc}") from error
        if isinstance(error.orig_exc, LogQLError):
            raise error.orig_exc from None
        if isinstance(error.orig_exc, RecursionError):
            raise _too_deep() from None
        raise
    except UnexpectedInput as error:
        raise worded(text, error) from None
    except RecursionError:
        raise _too_deep() from None
    return tree


def _too_deep() -> LogQLError:
    return LogQLError("parse error : the query is nested too deeply")


@cache
def _grammar() -> Lark:
    # Made once, when the first query comes: it takes a moment.
    text = files("otelkit_stack.logql").joinpath("grammar.lark").read_text(encoding="utf-8")
    return Lark(text, parser="lalr", maybe_placeholders=True)


def _names(items: list[Any] | None) -> tuple[str, ...]:
    return tuple(str(item) for item in items or ())


@v_args(inline=True)
class _ToTree(Transformer[Token, s.Query]):
    """Each method takes the children of the rule of its name."""

    # --- lines ----------------------------------------------------------------------------------------------------------

    def matcher(self, name: Token, operator: Token, value: Token) -> Matcher:
        return Matcher(str(name), str(operator), unquoted(value))  # type: ignore[arg-type]

    def selector(self, *matchers: Matcher | None) -> tuple[Matcher, ...]:
        return tuple(matcher for matcher in matchers if matcher is not None)

    def log_query(self, matchers: tuple[Matcher, ...], *stages: Any) -> s.LogQuery:
        return s.LogQuery(matchers, stages)

    def text_value(self, value: Token) -> str:
        return unquoted(value)

    def ip_value(self, value: Token) -> AddressRange:
        return AddressRange(unquoted(value))

    def line_filter(self, operator: Token, *values: str | AddressRange) -> LineFilter:
        return LineFilter(str(operator), values)

    def label_filter_stage(self, condition: LabelFilter) -> FilterStage:
        return FilterStage(condition)

    def extraction(self, name: Token, path: Token | None) -> tuple[str, str]:
        return str(name), unquoted(path) if path is not None else str(name)

    def extractions(self, *pairs: tuple[str, str]) -> tuple[tuple[str, str], ...]:
        return pairs

    def json_stage(self, extractions: tuple[tuple[str, str], ...] | None) -> JsonParser:
        return JsonParser(extractions or ())

    def logfmt_stage(self, *parts: Any) -> LogfmtParser:
        flags = {str(part) for part in parts if isinstance(part, Token)}
        extractions = next((part for part in parts if isinstance(part, tuple)), ())
        return LogfmtParser("--strict" in flags, "--keep-empty" in flags, extractions)

    def regexp_stage(self, pattern: Token) -> RegexpParser:
        return RegexpParser(unquoted(pattern))

    def pattern_stage(self, pattern: Token) -> PatternParser:
        return PatternParser(unquoted(pattern))

    def unpack_stage(self) -> Unpack:
        return Unpack()

    def decolorize_stage(self) -> Decolorize:
        return Decolorize()

    def line_format_stage(self, template: Token) -> LineFormat:
        return LineFormat(unquoted(template))

    def format(self, name: Token, source: Token) -> tuple[str, str, bool]:
        is_template = source.type == "STRING"
        return str(name), unquoted(source) if is_template else str(source), is_template

    def label_format_stage(self, *formats: tuple[str, str, bool]) -> LabelFormat:
        return LabelFormat(formats)

    def choice(self, name: Token, operator: Token | None, value: Token | None) -> Choice:
        return str(name), Matcher(str(name), str(operator), unquoted(value)) if value is not None else None  # type: ignore[arg-type]

    def drop_stage(self, *choices: Choice) -> Drop:
        return Drop(choices)

    def keep_stage(self, *choices: Choice) -> Keep:
        return Keep(choices)

    def unwrap_stage(self, label: Token) -> s.Unwrap:
        return s.Unwrap(str(label))

    def converted_unwrap_stage(self, conversion: Token, label: Token) -> s.Unwrap:
        return s.Unwrap(str(label), str(conversion))  # type: ignore[arg-type]

    # --- filters by labels ----------------------------------------------------------------------------------------------

    def or_filter(self, *parts: LabelFilter) -> LabelFilter:
        return parts[0] if len(parts) == 1 else OrFilter(parts)

    def and_filter(self, *parts: LabelFilter) -> LabelFilter:
        return parts[0] if len(parts) == 1 else AndFilter(parts)

    def text_filter(self, name: Token, operator: Token, value: Token) -> TextFilter:
        return TextFilter(self.matcher(name, operator, value))

    def quantity(self, *parts: Token) -> tuple[str, float]:
        *signs, token = parts
        readers = {"NUMBER": ("number", _number), "DURATION": ("duration", duration_ns), "BYTES": ("bytes", size_bytes)}
        kind, read = readers[token.type]
        return kind, read(str(token)) * (-1 if signs and signs[0] == "-" else 1)

    def number_filter(self, name: Token, comparison: Token, quantity: tuple[str, float]) -> NumberFilter:
        if str(comparison) in ("=~", "!~"):
            raise LogQLError(f"parse error : {comparison} compares {name} with a text: put the expression between quotes")
        kind, value = quantity
        return NumberFilter(str(name), str(comparison), value, READERS[kind])

    def ip_filter(self, name: Token, operator: Token, value: Token) -> AddressFilter:
        if str(operator) not in ("=", "!="):
            raise LogQLError(f"parse error : {operator} cannot be used with ip()")
        return AddressFilter(str(name), str(operator) == "!=", AddressRange(unquoted(value)))

    # --- metrics --------------------------------------------------------------------------------------------------------

    def names(self, *items: Token) -> list[Token]:
        return [*items]

    def grouping(self, kind: Token, names: list[Token] | None) -> s.Grouping:
        return s.Grouping(str(kind) == "by", _names(names))

    def offset(self, *parts: Token) -> int:
        return int(duration_ns("".join(map(str, parts))))

    def range_of(self, *parts: Any) -> s.RangeAggregation:
        matchers, *rest = parts
        window = next(part for part in rest if isinstance(part, Token) and part.type == "RANGE")
        offset = next((part for part in rest if isinstance(part, int)), 0)
        stages = [part for part in rest if not isinstance(part, int | Token | None)]
        unwraps = [at for at, stage in enumerate(stages) if isinstance(stage, s.Unwrap)]
        unwrap = None
        if unwraps:
            at = unwraps[0]
            after = stages[at + 1 :]
            if len(unwraps) > 1 or not all(isinstance(stage, FilterStage) for stage in after):
                raise LogQLError("parse error : only filters by labels may stand behind unwrap")
            unwrap = s.Unwrap(stages[at].label, stages[at].conversion, tuple(stage.condition for stage in after))
            stages = stages[:at]
        length = int(duration_ns(str(window)[1:-1].strip()))
        return s.RangeAggregation("", s.LogQuery(matchers, tuple(stages)), length, offset, unwrap)

    def range_expr(self, function: Token, *parts: Any) -> s.RangeAggregation:
        numbers = [part for part in parts if isinstance(part, Token)]
        inner = next(part for part in parts if isinstance(part, s.RangeAggregation))
        grouping = next((part for part in parts if isinstance(part, s.Grouping)), None)
        parameter = float("".join(map(str, numbers))) if numbers else None
        return s.RangeAggregation(str(function), inner.query, inner.window_ns, inner.offset_ns, inner.unwrap, parameter, grouping)

    def vector_expr(
        self, function: Token, before: s.Grouping | None, number: Token | None, inner: s.Metric, after: s.Grouping | None
    ) -> Any:
        if before is not None and after is not None:
            raise ParseError(f"syntax error: unexpected {'by' if after.is_by else 'without'}")
        return s.VectorAggregation(str(function), inner, before or after, int(float(number)) if number is not None else None)

    def literal(self, *parts: Token) -> s.NumberLiteral:
        *signs, number = parts
        return s.NumberLiteral(_number(str(number)) * (-1 if signs and signs[0] == "-" else 1))

    def vector_literal(self, *parts: Token) -> s.VectorLiteral:
        return s.VectorLiteral(self.literal(*parts).value)

    def label_replace(self, inner: s.Metric, *texts: Token) -> s.LabelReplace:
        return s.LabelReplace(inner, *(unquoted(text) for text in texts))

    def modifier(self, *parts: Any) -> tuple[bool, s.Matching]:
        words = [part for part in parts if isinstance(part, Token)]
        lists = [part for part in parts if isinstance(part, list)]
        kinds = [str(word) for word in words if word.type == "MATCHING"]
        groups = [str(word) for word in words if word.type == "GROUP"]
        if not kinds:
            return _has_bool(parts), s.Matching()
        on_names = _names(parts[parts.index(next(word for word in words if word.type == "MATCHING")) + 1])
        include = _names(lists[-1]) if groups and len(lists) > (1 if on_names else 0) else ()
        return _has_bool(parts), s.Matching(kinds[0] == "on", on_names, groups[0] if groups else "", include)  # type: ignore[arg-type]

    def binary(self, left: s.Metric, operator: Token, modifier: tuple[bool, s.Matching], right: s.Metric) -> s.Binary:
        return s.Binary(str(operator), left, right, modifier[1], modifier[0])

    set_ = binary

    def or_(self, left: s.Metric, modifier: tuple[bool, s.Matching], right: s.Metric) -> s.Binary:
        return s.Binary("or", left, right, modifier[1], modifier[0])


def _has_bool(parts: tuple[Any, ...]) -> bool:
    return any(isinstance(part, Token) and str(part) == "bool" for part in parts)


def _number(text: str) -> float:
    return float(int(text, 16)) if text.startswith("0x") else float(text)
