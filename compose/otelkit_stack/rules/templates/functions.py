"""The functions that Prometheus gives templates beside Go's own."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence

from otelkit_stack.go_template.builtins import escaped
from otelkit_stack.go_template.errors import TemplateError
from otelkit_stack.go_template.values import Function, Span, Value, kind_of
from otelkit_stack.promql import durations
from otelkit_stack.rules.templates import humanized
from otelkit_stack.rules.templates.values import Sample
from otelkit_stack.selectors.regex import RegexError, compiled


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


FUNCTIONS: dict[str, Function] = {
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
    "urlQueryEscape": escaped,
    "graphLink": lambda expression: f"/graph?g0.expr={escaped(expression)}&g0.tab=0",
    "tableLink": lambda expression: f"/graph?g0.expr={escaped(expression)}&g0.tab=1",
}
"""Functions that need nothing but their arguments."""
