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

_SPACE = re.compile(r"[\x00-\x20]*")
_GAP = re.compile(r"[\x00-\x20]")


@dataclass(frozen=True, slots=True)
class LogfmtParser:
    """``is_strict`` stops at the first thing that is no pair; ``keeps_empty`` keeps keys without a value."""

    is_strict: bool = False
    keeps_empty: bool = False
    extractions: tuple[tuple[str, str], ...] = ()

    def run(self, line: Line) -> bool:
        found = dict(self._pairs(line))
        if self.extractions:
            for name, source in self.extractions:
                line.extract_or_empty(name, found.get(source, ""))
            return True
        for key, value in found.items():
            if value:
                line.extract(sanitized(key), value)
            elif self.keeps_empty:
                line.extract_or_empty(sanitized(key), "")
        return True

    def _pairs(self, line: Line) -> Iterator[tuple[str, str]]:
        text, at = line.text, 0
        end = len(text.rstrip())
        while at < end:
            match = _PAIR.match(text, at)
            stop = match.end() if match is not None else _SPACE.match(text, at).end()  # type: ignore[union-attr]
            if match is None or text[stop : stop + 1] in ('"', "="):
                if self.is_strict:
                    line.fail("LogfmtParserErr", f"logfmt syntax error at pos {stop + 1} : unexpected '{text[stop : stop + 1]}'")
                    return
                gap = _GAP.search(text, stop)  # what is no pair is left out up to the next space
                at = gap.start() if gap else len(text)
                continue
            at = stop
            value = match[2] or ""
            if value.startswith('"'):
                try:
                    value = unquoted(value)
                except LogQLError:
                    value = ""
            yield match[1], value
