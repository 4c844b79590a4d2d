"""The functions that every Go template has. ``and`` and ``or``, which do not evaluate all of their arguments, are the executor's."""

from __future__ import annotations

import html
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from otelkit_stack.go_template.errors import TemplateError
from otelkit_stack.go_template.printf import formatted
from otelkit_stack.go_template.values import Function, Value, entry_of, is_true, kind_of, shown


def joined(*values: Value) -> str:
    """The values as ``print`` writes them: with a space only between operands neither of which is a string."""
    parts: list[str] = []
    for index, value in enumerate(values):
        if index and not isinstance(value, str) and not isinstance(values[index - 1], str):
            parts.append(" ")
        parts.append(shown(value))
    return "".join(parts)


def escaped(text: Value) -> str:
    """The text as part of a URL's query."""
    return urllib.parse.quote_plus(str(text), safe="")


def _equal(first: Value, *others: Value) -> bool:
    if not others:
        raise TemplateError("missing argument for comparison")
    return any(_comparable(first, other) and first == other for other in others)


def _comparable(first: Value, second: Value) -> bool:
    if first is None or second is None:
        return True
    if kind_of(first) != kind_of(second) or not isinstance(first, str | int | float):
        raise TemplateError(f"incompatible types for comparison: {kind_of(first)} and {kind_of(second)}")
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
            value = entry_of(value, str(key))
        elif isinstance(value, Sequence) and isinstance(key, int):
            if not 0 <= key < _length(value):
                raise TemplateError(f"index out of range: {key}")
            value = value.encode(errors="surrogateescape")[key] if isinstance(value, str) else value[key]
        else:
            raise TemplateError(f"can't index item of type {kind_of(value)}")
    return value


def _length(value: Value) -> int:
    if isinstance(value, str):
        return len(value.encode(errors="surrogateescape"))
    if isinstance(value, Mapping | Sequence):
        return len(value)
    raise TemplateError(f"len of type {kind_of(value)}")


BUILTINS: dict[str, Function] = {
    "print": joined,
    "println": lambda *values: " ".join(map(shown, values)) + "\n",
    "printf": lambda template, *values: formatted(str(template), values),
    "html": lambda *values: html.escape(joined(*values)).replace("&#x27;", "&#39;").replace("&quot;", "&#34;"),
    "urlquery": lambda *values: escaped(joined(*values)),
    "not": lambda value: not is_true(value),
    "eq": _equal,
    "ne": lambda first, second: not _equal(first, second),
    "lt": _ordered(lambda first, second: first < second),
    "le": _ordered(lambda first, second: first <= second),
    "gt": _ordered(lambda first, second: first > second),
    "ge": _ordered(lambda first, second: first >= second),
    "index": _index,
    "len": _length,
}
