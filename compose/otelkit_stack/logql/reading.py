"""Lines of the store for a query: the streams that fit, in a time, by time."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence

from otelkit_stack.logql import syntax as s
from otelkit_stack.logql.entries import Resource, line_of, resources_of
from otelkit_stack.logql.line import Line
from otelkit_stack.logql.stages.line_filters import LineFilter

_LINES = """
SELECT log.time_ns, log.body, log.attributes, log.severity_number, log.severity_sent, log.observed_ns, log.flags, log.trace_id, log.span_id,
       log.resource_id, log.rowid, scope.name AS scope_name, scope.version AS scope_version, scope.attributes AS scope_attributes
FROM log JOIN scope ON scope.id = log.scope_id
"""
# The plus keeps SQLite on the index of times, whose order is the answer's: of most queries only the first lines are wanted.
_IN_TIME = """
WHERE log.time_ns > ? AND log.time_ns <= ? {texts} AND +log.resource_id IN (SELECT value FROM json_each(?))
ORDER BY log.time_ns {direction}, log.rowid {direction}
"""
# The plus keeps SQLite off that index: a line that is rare is found twice as fast where the lines are read as they lie on the disk.
_WITH_TEXTS = "SELECT rowid FROM log WHERE +time_ns > ? AND +time_ns <= ? {texts} LIMIT ?"
_THESE = """
WHERE log.rowid IN (SELECT value FROM json_each(?)) AND +log.resource_id IN (SELECT value FROM json_each(?))
ORDER BY log.time_ns {direction}, log.rowid {direction}
"""
_ARRIVED = "WHERE log.rowid > ? AND +log.resource_id IN (SELECT value FROM json_each(?)) ORDER BY log.rowid LIMIT ?"

_BEFORE_ALL, _AFTER_ALL = -1, 2**63 - 1
_WORTH_A_SCAN = 20_000
_FEW = 1_000
"""Lines that are looked up and put in order at the end; where there are more, the first of them come sooner by time."""


class Lines:
    """Reads through a connection, which must be its user's alone while it does. Raises sqlite3.Error."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._resources: dict[int, Resource] = {}

    def streams(self, query: s.LogQuery) -> dict[int, Resource]:
        """The resources whose stream fits, by id."""
        newest = max(self._resources, default=None)  # ids are hashes: only their number tells whether some are new
        count = self._connection.execute("SELECT count(*) FROM resource").fetchone()[0]
        if newest is None or count != len(self._resources):
            self._resources = resources_of(self._connection.execute("SELECT id, attributes FROM resource").fetchall())
        return {key: resource for key, resource in self._resources.items() if resource.fits(query.matchers)}

    def read(self, query: s.LogQuery, after_ns: int, until_ns: int, *, newest_first: bool = False) -> Iterator[Line]:
        """Lines of the time above ``after_ns`` up to ``until_ns`` that come through the query's stages."""
        streams = self.streams(query)
        if not streams:
            return
        direction = "DESC" if newest_first else "ASC"
        texts = _needed_texts(query)
        few = self._few_with(texts, after_ns, until_ns) if texts else None
        wanted = json.dumps([*streams])
        cursor = self._connection.cursor()
        cursor.row_factory = sqlite3.Row
        if few is None:
            sql = _LINES + _IN_TIME.format(texts="AND instr(log.body, ?) " * len(texts), direction=direction)
            rows = cursor.execute(sql, (after_ns, until_ns, *texts, wanted))
        else:
            rows = cursor.execute(_LINES + _THESE.format(direction=direction), (json.dumps(few), wanted))
        for row in rows:
            line = line_of(row, streams[row["resource_id"]])
            if all(stage.run(line) for stage in query.stages):
                yield line

    def _few_with(self, texts: Sequence[str], after_ns: int, until_ns: int) -> list[int] | None:
        """The rows whose line holds all the texts, where these are few; None where one better goes by the index of times."""
        total = self._connection.execute("SELECT max(rowid) FROM log").fetchone()[0] or 0
        if total < _WORTH_A_SCAN:
            return None
        in_time = self._connection.execute("SELECT count(*) FROM log WHERE time_ns > ? AND time_ns <= ?", (after_ns, until_ns)).fetchone()[
            0
        ]
        if in_time < total // 2:
            return None
        sql = _WITH_TEXTS.format(texts="AND instr(body, ?) " * len(texts))
        found = [row[0] for row in self._connection.execute(sql, (after_ns, until_ns, *texts, _FEW + 1))]
        return found if len(found) <= _FEW else None

    def newest(self, query: s.LogQuery, limit: int) -> tuple[list[Line], int]:
        """The newest ``limit`` lines that come through the query's stages, by time, and the place behind which :meth:`arrived` goes on."""
        place = self._connection.execute("SELECT max(rowid) FROM log").fetchone()[0] or 0
        found: list[Line] = []
        for line in self.read(query, _BEFORE_ALL, _AFTER_ALL, newest_first=True):
            if len(found) >= limit:
                break
            found.append(line)
        return found[::-1], place

    def arrived(self, query: s.LogQuery, place: int, limit: int) -> tuple[list[Line], int]:
        """Lines in the order in which they came, of the next ``limit`` records behind a place, and the new place."""
        streams = self.streams(query)
        last = self._connection.execute("SELECT max(rowid) FROM log").fetchone()[0] or 0
        cursor = self._connection.cursor()
        cursor.row_factory = sqlite3.Row
        rows = cursor.execute(_LINES + _ARRIVED, (place, json.dumps([*streams]), limit)).fetchall()
        lines = [line_of(row, streams[row["resource_id"]]) for row in rows]
        found = [line for line in lines if all(stage.run(line) for stage in query.stages)]
        return found, rows[-1]["rowid"] if len(rows) >= limit else max(place, last)


def _needed_texts(query: s.LogQuery) -> list[str]:
    """What every line must hold, for the store to look for; what changes the line before a filter takes that away from it."""
    texts = []
    for stage in query.stages:
        if not isinstance(stage, LineFilter):
            break
        if stage.needed_text:
            texts.append(stage.needed_text)
    return texts
