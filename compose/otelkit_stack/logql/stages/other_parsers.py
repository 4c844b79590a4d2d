"""``| regexp``, ``| unpack`` and ``| decolorize``."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from otelkit_stack.logql.errors import LogQLError
from otelkit_stack.logql.line import Line
from otelkit_stack.logql.stages.json_parser import why
from otelkit_stack.logql.stages.names import sanitized
from otelkit_stack.selectors.regex import compiled

_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@dataclass(frozen=True, slots=True)
class RegexpParser:
    """Named groups become labels. Raises LogQLError for an expression without any."""

    pattern: str

    def __post_init__(self) -> None:
        if not compiled(self.pattern).groupindex:
            raise LogQLError("parse error : at least one named capture must be supplied")

    def run(self, line: Line) -> bool:
        match = compiled(self.pattern).search(line.text)
        if match is not None:
            for name, value in match.groupdict().items():
                line.extract(sanitized(name), value or "")
        return True


@dataclass(frozen=True, slots=True)
class Unpack:
    """Undoes what Promtail's pack stage did: fields become labels, ``_entry`` becomes the line."""

    def run(self, line: Line) -> bool:
        try:
            packed = json.loads(line.text)
            if not isinstance(packed, dict):
                raise TypeError("no object")
        except (ValueError, TypeError):
            is_cut = line.text.lstrip().startswith("{")
            line.fail("JSONParserErr", why(line.text) if is_cut else "expecting json object(6), but it is not")
            return True
        if not isinstance(packed.get("_entry"), str):
            return True
        for key, value in packed.items():
            if isinstance(value, str) and key != "_entry":
                line.extract(sanitized(key), value)
        line.text = packed["_entry"]
        return True


@dataclass(frozen=True, slots=True)
class Decolorize:
    """Takes ANSI colours out of the line."""

    def run(self, line: Line) -> bool:
        line.text = _COLOURS.sub("", line.text)
        return True
