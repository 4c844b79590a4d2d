"""``| json``: the fields of an object become labels, those of inner objects joined by ``_``; arrays are left out unless asked for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from otelkit_stack.logql.errors import LogQLError
from otelkit_stack.logql.line import Line
from otelkit_stack.logql.stages.names import sanitized
from otelkit_stack.logql.stages.raw_json import raw_value

_STEP = re.compile(r'\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|(?:^|\.)([A-Za-z_][A-Za-z0-9_-]*)')


class _Number(str):
    """A number with the digits that it was written with."""

    __slots__ = ()


_DECODER = json.JSONDecoder(parse_int=_Number, parse_float=_Number, parse_constant=_Number, strict=False)


@dataclass(frozen=True, slots=True)
class JsonParser:
    """``| json``, or ``| json name="path.to[0].value"``. Raises LogQLError for a path that is none."""

    extractions: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        for _, path in self.extractions:
            steps_of(path)

    def run(self, line: Line) -> bool:
        try:
            value = _DECODER.decode(line.text)
            if not isinstance(value, dict):
                raise TypeError("no object")
        except (ValueError, TypeError, RecursionError):
            return self._without_object(line)
        if self.extractions:
            for name, path in self.extractions:
                line.extract_or_empty(name, _written(raw_value(line.text, steps_of(path))))
        else:
            for name, text in _fields(value, ""):
                line.extract(name, text)
        return True

    def _without_object(self, line: Line) -> bool:
        if not self.extractions:
            line.fail("JSONParserErr", why(line.text))
        elif line.text.lstrip().startswith("{"):  # an object that ends too soon: Loki finds nothing in it, and nothing wrong with it
            for name, _ in self.extractions:
                line.extract_or_empty(name, "")
        else:
            line.fail("JSONParserErr", "")
        return True


def fields_of(text: str) -> Iterator[tuple[str, str, list[str]]]:
    """The labels that an object gives: name, value, and the path to it. Raises ValueError for a text that is no object."""
    value = _DECODER.decode(text)
    if not isinstance(value, dict):
        raise ValueError("no object")
    yield from _with_paths(value, "", [])


def why(text: str) -> str:
    """Loki's words, which are those of the parser it uses."""
    is_object = text.lstrip().startswith("{")
    return "Malformed JSON error" if is_object else "Value looks like object, but can't find closing '}' symbol"


def _written(raw: str | None) -> str:
    """A value as it stands in the line, a text without its quotes."""
    if raw is None or raw == "null":
        return ""
    return str(json.loads(raw, strict=False)) if raw.startswith('"') else raw


def steps_of(path: str) -> list[int | str]:
    """A path's steps: names of fields, and positions in arrays."""
    at, steps = 0, list[int | str]()
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None or match.end() == at:
            raise LogQLError(f"parse error : cannot parse expression [{path}]: syntax error")
        steps.append(int(match[1]) if match[1] else match[2] if match[2] is not None else match[3])
        at = match.end()
    if not steps:
        raise LogQLError(f"parse error : cannot parse expression [{path}]: syntax error")
    return steps


def _fields(value: dict[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    yield from ((name, text) for name, text, _ in _with_paths(value, prefix, []))


def _with_paths(value: dict[str, Any], prefix: str, path: list[str]) -> Iterator[tuple[str, str, list[str]]]:
    for key, inner in value.items():
        name = f"{prefix}_{sanitized(key, is_first=False)}" if prefix else sanitized(key)
        if isinstance(inner, dict):
            yield from _with_paths(inner, name, [*path, key])
        elif not isinstance(inner, list) and name:
            yield name, _text(inner), [*path, key]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
