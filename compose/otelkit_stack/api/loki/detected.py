"""``/loki/api/v1/detected_fields`` and ``detected_field/{name}/values``: what lines say, beside the labels of their streams."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

from otelkit_stack.api.loki.answers import LokiResponse
from otelkit_stack.api.loki.asked import Asked
from otelkit_stack.api.parameters import BadParameterError, integer_parameter
from otelkit_stack.logql.errors import LogQLError
from otelkit_stack.logql.evaluation import lines
from otelkit_stack.logql.line import Line, Origin
from otelkit_stack.logql.parsing import parse
from otelkit_stack.logql.stages.json_parser import fields_of
from otelkit_stack.logql.stages.logfmt_parser import LogfmtParser
from otelkit_stack.logql.syntax import LogQuery
from otelkit_stack.logql.units import go_duration_ns, size_bytes

_MOST = 1000
_LOGFMT = LogfmtParser()
_BOOLEAN = re.compile(r"1|t|T|TRUE|true|True|0|f|F|FALSE|false|False")


@dataclass(slots=True)
class _Field:
    kind: str
    values: dict[str, None] = field(default_factory=dict)
    parsers: list[str] = field(default_factory=list)
    path: list[str] = field(default_factory=list)


def detected_fields(asked: Asked) -> Response:
    """Each field with its type, the number of its values, and the parser that finds it, null for what needs none."""
    limit = integer_parameter(asked.given, "limit", _MOST)
    found = []
    for name, its in sorted(_fields(asked).items())[:limit]:
        path = {"jsonPath": its.path} if its.path else {}
        found.append({"label": name, "type": its.kind, "cardinality": len(its.values), "parsers": its.parsers or None, **path})
    return LokiResponse({"fields": found, "limit": limit})


def detected_values(asked: Asked) -> Response:
    """The values of one of them."""
    limit = integer_parameter(asked.given, "limit", _MOST)
    its = _fields(asked).get(asked.given["name"])
    return LokiResponse({"values": [*its.values][:limit], "limit": limit} if its else {})


def _fields(asked: Asked) -> dict[str, _Field]:
    query = parse(asked.query)
    if not isinstance(query, LogQuery):
        raise LogQLError("only log queries are supported for detecting fields")
    count = integer_parameter(asked.given, "line_limit", _MOST)
    if not 0 < count <= 5 * _MOST:
        raise BadParameterError(f"line_limit must be a number from 1 to {5 * _MOST}")
    found: dict[str, _Field] = {}
    for line in lines(query, asked.lines, *asked.span(), limit=count, newest_first=True):
        for name, value, parser, path in _of_line(line):
            if not value:
                continue
            one = found.setdefault(name, _Field(kind_of(value)))
            one.values[value] = None
            one.path = path or one.path
            if parser and parser not in one.parsers:
                one.parsers.append(parser)
    return found


def _of_line(line: Line) -> Iterator[tuple[str, str, str, list[str]]]:
    """Name, value, parser and path in JSON of each field."""
    for name, value in line.of_origin(Origin.METADATA).items():
        yield name, value, "", []
    for name, value in line.of_origin(Origin.PARSED).items():
        yield name, value, "", []
    try:
        for name, value, path in fields_of(line.text):
            yield name, value, "json", path
    except (ValueError, RecursionError):
        plain = Line.of(line.time_ns, line.text, {}, {})
        _LOGFMT.run(plain)
        for name, value in plain.of_origin(Origin.PARSED).items():
            yield name, value, "logfmt", []


def kind_of(value: str) -> str:
    """The type that a value looks like, in Loki's order: int, float, boolean, duration, bytes, string."""
    for kind, reads in _KINDS.items():
        try:
            reads(value)
        except ValueError:
            continue
        return kind
    return "string"


def _boolean(text: str) -> None:
    if not _BOOLEAN.fullmatch(text):
        raise ValueError(text)


def _plain(read: Any) -> Any:
    def reads(text: str) -> Any:
        if not text.isascii() or "_" in text or text != text.strip():
            raise ValueError(text)
        return read(text)

    return reads


_KINDS: dict[str, Any] = {
    "int": _plain(int),
    "float": _plain(float),
    "boolean": _boolean,
    "duration": go_duration_ns,
    "bytes": size_bytes,
}
