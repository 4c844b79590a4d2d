"""The streams of the store: which there are in a time, and how much they hold."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from otelkit_stack.logql.entries import Resource, resources_of
from otelkit_stack.logql.frames import Labels
from otelkit_stack.selectors.matchers import Matcher

_HAS_LINES = "SELECT EXISTS (SELECT 1 FROM log WHERE resource_id = ? AND time_ns BETWEEN ? AND ?)"
_SIZES = """
SELECT resource_id, {bucket} AS bucket, count(*), sum(length(CAST(body AS BLOB)) + length(CAST(attributes AS BLOB)))
FROM log WHERE resource_id IN (SELECT value FROM json_each(?)) AND time_ns BETWEEN ? AND ? GROUP BY resource_id, bucket
"""


@dataclass(frozen=True, slots=True)
class Size:
    """What a stream holds in a bucket of time: lines, and the bytes of their texts and attributes."""

    stream: Labels
    bucket: int
    entries: int
    octets: int


class Streams:
    """Reads through a connection, which must be its user's alone while it does. Raises sqlite3.Error."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def labels(self, matchers: Iterable[Matcher], start_ns: int, end_ns: int) -> list[dict[str, str]]:
        """The labels of each stream that fits and has a line in the time, both ends included."""
        found = {
            tuple(sorted(resource.stream.items())): None
            for key, resource in self._fitting(matchers).items()
            if self._connection.execute(_HAS_LINES, (key, start_ns, end_ns)).fetchone()[0]
        }
        return [dict(labels) for labels in sorted(found)]

    def sizes(self, matchers: Iterable[Matcher], start_ns: int, end_ns: int, bucket_ns: int | None = None) -> list[Size]:
        """How much each stream holds, in each bucket of the time, which are numbered from the epoch; as one bucket where none is given."""
        resources = self._fitting(matchers)
        sql = _SIZES.format(bucket=f"time_ns / {bucket_ns}" if bucket_ns else "0")
        totals: dict[tuple[Labels, int], tuple[int, int]] = {}
        for key, bucket, entries, octets in self._connection.execute(sql, (json.dumps([*resources]), start_ns, end_ns)):
            place = tuple(sorted(resources[key].stream.items())), bucket
            before = totals.get(place, (0, 0))
            totals[place] = before[0] + entries, before[1] + octets
        return [Size(stream, bucket, *total) for (stream, bucket), total in sorted(totals.items())]

    def _fitting(self, matchers: Iterable[Matcher]) -> dict[int, Resource]:
        wanted = tuple(matchers)
        resources = resources_of(self._connection.execute("SELECT id, attributes FROM resource").fetchall())
        return {key: resource for key, resource in resources.items() if resource.fits(wanted)}
