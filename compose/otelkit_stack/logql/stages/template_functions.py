"""Functions of ``line_format`` and ``label_format`` beside Go's own. Source: Loki's documentation of template functions, mostly sprig's."""

from __future__ import annotations

import base64
import json
import math
import re
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from otelkit_stack.go_template.values import AnyMap, Function, Moment, is_true
from otelkit_stack.logql.line import Line
from otelkit_stack.logql.units import duration_ns, size_bytes
from otelkit_stack.selectors.regex import compiled


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0.0


def _integer(value: Any) -> int:
    return int(_number(value))


def _substr(start: int, end: int, text: str) -> str:
    if start < 0:
        return text[: max(end, 0)]
    return text[start:] if end < 0 or end > len(text) else text[start:end]


def _trunc(count: int, text: str) -> str:
    return text[count:] if count < 0 and len(text) + count > 0 else text[:count] if count >= 0 else text


def _go_replacement(text: str) -> str:
    return re.sub(r"\$\{?(\w+)\}?", r"\\g<\1>", text.replace("\\", "\\\\"))


def _round(value: Any, digits: Any, *_: Any) -> float:
    places = 10.0 ** _integer(digits)
    return math.floor(_number(value) * places + 0.5) / places


def _from_json(text: str) -> Any:
    # Go reads every number of JSON as a float.
    return json.loads(text, object_hook=AnyMap, parse_int=float)


FUNCTIONS: dict[str, Function] = {
    "ToLower": str.lower,
    "ToUpper": str.upper,
    "lower": str.lower,
    "upper": str.upper,
    "title": str.title,
    "Replace": lambda text, old, new, count: text.replace(old, new, count),
    "replace": lambda old, new, text: text.replace(old, new),
    "Trim": lambda text, cut: text.strip(cut),
    "TrimLeft": lambda text, cut: text.lstrip(cut),
    "TrimRight": lambda text, cut: text.rstrip(cut),
    "TrimPrefix": lambda text, prefix: text.removeprefix(prefix),
    "TrimSuffix": lambda text, suffix: text.removesuffix(suffix),
    "TrimSpace": str.strip,
    "trim": str.strip,
    "trimAll": lambda cut, text: text.strip(cut),
    "trimPrefix": lambda prefix, text: text.removeprefix(prefix),
    "trimSuffix": lambda suffix, text: text.removesuffix(suffix),
    "substr": _substr,
    "trunc": _trunc,
    "contains": lambda part, text: part in text,
    "hasPrefix": lambda part, text: text.startswith(part),
    "hasSuffix": lambda part, text: text.endswith(part),
    "indent": lambda count, text: "\n".join(" " * count + row for row in text.split("\n")),
    "nindent": lambda count, text: "\n" + "\n".join(" " * count + row for row in text.split("\n")),
    "repeat": lambda count, text: text * count,
    "alignLeft": lambda count, text: text[:count].ljust(count),
    "alignRight": lambda count, text: text[-count:].rjust(count),
    "regexReplaceAll": lambda pattern, text, new: compiled(pattern).sub(_go_replacement(new), text),
    "regexReplaceAllLiteral": lambda pattern, text, new: compiled(pattern).sub(lambda _: new, text),
    "count": lambda pattern, text: len(compiled(pattern).findall(text)),
    "default": lambda fallback, value: value if is_true(value) else fallback,
    "urlencode": quote_plus,
    "urldecode": unquote_plus,
    "b64enc": lambda text: base64.b64encode(text.encode()).decode(),
    "b64dec": lambda text: base64.b64decode(text).decode(),
    "bytes": size_bytes,
    "duration": lambda text: duration_ns(text) / 1e9,
    "duration_seconds": lambda text: duration_ns(text) / 1e9,
    "int": _integer,
    "float64": _number,
    "add": lambda *values: sum(map(_integer, values)),
    "sub": lambda left, right: _integer(left) - _integer(right),
    "mul": lambda first, *values: math.prod([_integer(first), *map(_integer, values)]),
    "div": lambda left, right: int(_integer(left) / _integer(right)),
    "mod": lambda left, right: math.fmod(_integer(left), _integer(right)),
    "addf": lambda *values: sum(map(_number, values)),
    "subf": lambda first, *values: _number(first) - sum(map(_number, values)),
    "mulf": lambda *values: math.prod(map(_number, values)),
    "divf": lambda first, *values: _number(first) / math.prod(map(_number, values)),
    "max": lambda *values: max(map(_integer, values)),
    "min": lambda *values: min(map(_integer, values)),
    "maxf": lambda *values: max(map(_number, values)),
    "minf": lambda *values: min(map(_number, values)),
    "ceil": lambda value: math.ceil(_number(value)),
    "floor": lambda value: math.floor(_number(value)),
    "round": _round,
    "fromJson": _from_json,
    "unixEpoch": lambda moment: str(moment.ns // 1_000_000_000),
}

NAMES_OF_LINE = ("__line__", "__timestamp__")


def functions_of(line: Line) -> dict[str, Function]:
    """The functions that know the line."""
    return {"__line__": lambda: line.text, "__timestamp__": lambda: Moment(line.time_ns)}
