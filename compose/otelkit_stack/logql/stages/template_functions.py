"""Functions of ``line_format`` and ``label_format``. Source: Loki's documentation of template functions, mostly sprig's."""

from __future__ import annotations

import base64
import json
import math
import operator
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from otelkit_stack.go_template.template import is_true, printed
from otelkit_stack.go_template.tokens import WrongArgumentsError
from otelkit_stack.logql.line import Line
from otelkit_stack.logql.units import duration_ns, size_bytes
from otelkit_stack.promql.regex import compiled


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


def _round(*values: Any) -> float:
    if len(values) < 2:
        raise WrongArgumentsError(f"want at least 2 got {len(values) - 1}")
    value, places = _number(values[0]), 10.0 ** _integer(values[1])
    return math.floor(value * places + 0.5) / places


_ALWAYS: dict[str, Callable[..., Any]] = {
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
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "and": lambda *values: next((value for value in values if not is_true(value)), values[-1]),
    "or": lambda *values: next((value for value in values if is_true(value)), values[-1]),
    "not": lambda value: not is_true(value),
    "len": len,
    "print": lambda *values: "".join(map(printed, values)),
    "printf": lambda form, *values: _printf(form, values),
    "fromJson": json.loads,
    "index": lambda value, *keys: _indexed(value, keys),
    "unixEpoch": lambda moment: str(int(moment.timestamp())),
}

_VERB = re.compile(r"%([-+# 0]*)(\d*)(?:\.(\d+))?([vsdqfgexXt%])")


def _printf(form: str, values: tuple[Any, ...]) -> str:
    waiting = iter(values)

    def one(match: re.Match[str]) -> str:
        flags, width, places, verb = match.groups()
        if verb == "%":
            return "%"
        try:
            value = next(waiting)
        except StopIteration:
            return f"%!{verb}(MISSING)"
        if verb in "vst":
            text = printed(value) if places is None else printed(value)[: int(places)]
        elif verb == "q":
            text = json.dumps(str(value), ensure_ascii=False)
        elif verb in "dxX":
            if not isinstance(value, int):
                return f"%!{verb}(string={value})" if isinstance(value, str) else f"%!{verb}(float64={printed(value)})"
            text = f"{value:{verb}}"
        else:
            if not isinstance(value, float):
                return f"%!{verb}({'string' if isinstance(value, str) else 'int'}={value})"
            text = f"{value:.{places or 6}{verb}}"
        if "+" in flags and verb in "dfge" and not text.startswith("-"):
            text = f"+{text}"
        size = int(width or 0)
        return text.ljust(size) if "-" in flags else text.zfill(size) if "0" in flags else text.rjust(size)

    return _VERB.sub(one, form)


def _indexed(value: Any, keys: tuple[Any, ...]) -> Any:
    for key in keys:
        value = value.get(key, "") if isinstance(value, Mapping) else value[key]
    return value


def functions_of(line: Line | None) -> dict[str, Callable[..., Any]]:
    """The functions, those that know the line among them."""
    return {
        **_ALWAYS,
        "__line__": lambda: line.text if line else "",
        "__timestamp__": lambda: datetime.fromtimestamp(line.time_ns / 1e9, UTC) if line else None,
    }
