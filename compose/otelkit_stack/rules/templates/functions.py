"""The functions of templates: Go's own, and Prometheus'."""

from __future__ import annotations

import html
import ipaddress
import re
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from otelkit_stack.promql import durations
from otelkit_stack.promql.regex import RegexError, compiled
from otelkit_stack.rules.templates import humanized
from otelkit_stack.rules.templates.errors import TemplateError
from otelkit_stack.rules.templates.formatting import formatted
from otelkit_stack.rules.templates.values import Sample, Span, Value, is_true, kind_of, shown

Function = Callable[..., Value]


def _joined(*values: Value) -> str:
    # Spaces only between operands neither of which is a string, as Go's Sprint does.
    parts: list[str] = []
    for index, value in enumerate(values):
        if index and not isinstance(value, str) and not isinstance(values[index - 1], str):
            parts.append(" ")
        parts.append(shown(value))
    return "".join(parts)


def _equal(first: Value, *others: Value) -> bool:
    if not others:
        raise TemplateError("missing argument for comparison")
    return any(_comparable(first, other) and first == other for other in others)


def _comparable(first: Value, second: Value) -> bool:
    if first is None or second is None:
        return True
    if kind_of(first) != kind_of(second) or not isinstance(first, str | int | float):
        raise TemplateError("incompatible types for comparison")
    return True


def _ordered(compare: Callable[[Any, Any], bool]) -> Function:
    def ordered(first: Value, second: Value) -> bool:
        _comparable(first, second)
        if first is None or second is None or isinstance(first, bool):
            raise TemplateError("invalid type for comparison")
        return compare(first, second)

    return ordered


def _index(value: Value, *keys: Value) -> Value:
    for key in keys:
        if isinstance(value, Mapping):
            value = value.get(str(key), "")
        elif isinstance(value, Sequence) and isinstance(key, int):
            if not 0 <= key < len(value):
                raise TemplateError(f"index out of range: {key}")
            value = value[key]
        else:
            raise TemplateError(f"can't index item of type {kind_of(value)}")
    return value


def _length(value: Value) -> int:
    if isinstance(value, str):
        return len(value.encode(errors="surrogateescape"))
    if isinstance(value, Mapping | Sequence):
        return len(value)
    raise TemplateError(f"len of type {kind_of(value)}")


def _first(results: Value) -> Value:
    if not isinstance(results, Sequence) or not results:
        raise TemplateError("first() called on vector with no elements")
    return results[0]


def _sample(value: Value) -> Sample:
    if not isinstance(value, Sample):
        raise TemplateError(f"wrong type for value; expected *template.sample; got {kind_of(value)}")
    return value


def _sorted_by_label(label: Value, results: Value) -> Value:
    if not isinstance(results, Sequence):
        raise TemplateError(f"wrong type for value; expected template.queryResult; got {kind_of(results)}")
    return sorted(results, key=lambda result: _sample(result).labels.get(str(label), ""))


def _replaced(pattern: Value, replacement: Value, text: Value) -> str:
    template = re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda match: f"\\g<{match[1] or match[2]}>", str(replacement).replace("\\", "\\\\"))
    try:
        return _pattern(pattern).sub(template, str(text))
    except (re.error, IndexError) as error:
        raise TemplateError(f"bad replacement {replacement!r}: {error}") from error


def _pattern(pattern: Value) -> re.Pattern[str]:
    try:
        return compiled(str(pattern), dot_matches_newline=False)
    except RegexError as error:
        raise TemplateError(str(error)) from error


def _title(text: Value) -> str:
    return re.sub(r"\b\w", lambda match: match[0].upper(), str(text))


def _host_and_port(text: str) -> tuple[str, str] | None:
    match = re.fullmatch(r"\[([^\[\]]*)\]:([^:\[\]]*)|([^:\[\]]*):([^:\[\]]*)", text)
    return None if match is None else (match[1] or match[3] or "", match[2] or match[4] or "")


def _without_port(text: Value) -> str:
    parts = _host_and_port(str(text))
    return parts[0] if parts else str(text)


def _without_domain(text: Value) -> str:
    host, port = _host_and_port(str(text)) or (str(text), "")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        short = host.partition(".")[0]
        return f"{short}:{port}" if port else short
    return str(text)


def _parsed_duration(text: Value) -> float:
    try:
        is_negative = str(text).startswith("-")
        seconds = durations.seconds(durations.parse(str(text).removeprefix("-")))
    except ValueError as error:
        raise TemplateError(str(error)) from error
    return -seconds if is_negative else seconds


def _escaped(text: Value) -> str:
    return urllib.parse.quote_plus(str(text), safe="")


FUNCTIONS: dict[str, Function] = {
    "print": _joined,
    "println": lambda *values: " ".join(map(shown, values)) + "\n",
    "printf": lambda template, *values: formatted(str(template), values),
    "html": lambda *values: html.escape(_joined(*values)).replace("&#x27;", "&#39;").replace("&quot;", "&#34;"),
    "urlquery": lambda *values: _escaped(_joined(*values)),
    "not": lambda value: not is_true(value),
    "eq": _equal,
    "ne": lambda first, second: not _equal(first, second),
    "lt": _ordered(lambda first, second: first < second),
    "le": _ordered(lambda first, second: first <= second),
    "gt": _ordered(lambda first, second: first > second),
    "ge": _ordered(lambda first, second: first >= second),
    "index": _index,
    "len": _length,
    "first": _first,
    "label": lambda name, sample: _sample(sample).labels.get(str(name), ""),
    "value": lambda sample: _sample(sample).value,
    "strvalue": lambda sample: _sample(sample).labels.get("__value__", ""),
    "sortByLabel": _sorted_by_label,
    "args": lambda *values: {f"arg{index}": value for index, value in enumerate(values)},
    "humanize": humanized.humanize,
    "humanize1024": humanized.humanize1024,
    "humanizePercentage": humanized.humanize_percentage,
    "humanizeDuration": humanized.humanize_duration,
    "humanizeTimestamp": humanized.humanize_timestamp,
    "toTime": lambda value: humanized.moment(humanized.number(value)),
    "toDuration": lambda value: Span(int(humanized.number(value) * 1e9)),
    "parseDuration": _parsed_duration,
    "reReplaceAll": _replaced,
    "match": lambda pattern, text: _pattern(pattern).search(str(text)) is not None,
    "title": _title,
    "toUpper": lambda text: str(text).upper(),
    "toLower": lambda text: str(text).lower(),
    "stripPort": _without_port,
    "stripDomain": _without_domain,
    "safeHtml": lambda text: text,
    "urlQueryEscape": _escaped,
    "graphLink": lambda expression: f"/graph?g0.expr={_escaped(expression)}&g0.tab=0",
    "tableLink": lambda expression: f"/graph?g0.expr={_escaped(expression)}&g0.tab=1",
}
"""Functions that need nothing but their arguments. ``and`` and ``or``, which do not evaluate all of theirs, are the executor's."""
LAZY = ("and", "or")
