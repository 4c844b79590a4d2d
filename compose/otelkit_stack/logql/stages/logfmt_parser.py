"""``| logfmt``: ``key=value key="a value"`` pairs become labels."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from otelkit_stack.logql.errors import LogQLError
from otelkit_stack.logql.line import Line
from otelkit_stack.logql.stages.names import sanitized
from otelkit_stack.logql.strings import unquoted

_PAIR = re.compile(r'[\x00-\x20]*([^\x00-\x20="]+)(?:=("(?:\\.|[^"\\])*"|[^\x00-\x20"]*))?')


@dataclass(frozen=True, slots=True)
class LogfmtParser:
    """``is_strict`` stops at the first thing that is no pair; ``keeps_empty`` keeps keys without a value."""

    is_strict: bool = False
    keeps_empty: bool = False
    extractions: tuple[tuple[str, str], ...] = ()

    def run(self, line: Line) -> bool:
        wanted = {source: name for name, source in self.extractions}
        for key, value in self._pairs(line):
            if wanted:
                if key in wanted:
                    line.extract(wanted[key], value)
            elif value or self.keeps_empty:
                line.extract(sanitized(key), value)
        return True

    def _pairs(self, line: Line) -> Iterator[tuple[str, str]]:
        text, at = line.text, 0
        while at < len(text.rstrip()):
            match = _PAIR.match(text, at)
            if match is None or text[match.end() : match.end() + 1] == '"':
                if self.is_strict:
                    line.fail("LogfmtParserErr", f"logfmt syntax error at pos {at + 1} : unexpected '\"'")
                    return
                gap = re.compile(r"\s").search(text, at + 1)  # go on behind what is no pair
                at = gap.start() if gap else len(text)
                continue
            at = match.end()
            value = match[2] or ""
            if value.startswith('"'):
                try:
                    value = unquoted(value)
                except LogQLError:
                    value = ""
            yield match[1], value
