"""Forgetting: by age, and the oldest where there is too much."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

_STATEMENTS = (
    "DELETE FROM span WHERE start_ns < :ns",
    "DELETE FROM log WHERE time_ns < :ns",
    "DELETE FROM exemplar WHERE time_ns < :ns",
    "DELETE FROM chunk WHERE end_ms < :ms",
    "DELETE FROM alert_history WHERE time_ms < :ms",
)
_EMPTY_SERIES = """
DELETE FROM series WHERE id NOT IN (SELECT series_id FROM chunk) AND id NOT IN (SELECT series_id FROM exemplar) RETURNING id
"""
_SPAN = """
SELECT min(first), max(last) FROM (
    SELECT min(start_ns) AS first, max(start_ns) AS last FROM span
    UNION ALL SELECT min(time_ns), max(time_ns) FROM log
    UNION ALL SELECT min(time_ns), max(time_ns) FROM exemplar
    UNION ALL SELECT min(end_ms) * 1000000, max(end_ms) * 1000000 FROM chunk
)
"""


def prune(connection: sqlite3.Connection, older_than_ns: int) -> list[int]:
    """Delete, in one transaction, what happened before a time in Unix nanoseconds; the ids of the series of which nothing is left.

    Samples go by whole chunks, and must all be in chunks (a checkpoint's doing), or their series would seem empty.
    Resources and scopes stay: there is one per worker and library, and logs, spans and later records share them.
    The connection must be in autocommit mode. Raises sqlite3.Error, with nothing deleted.
    """
    times = {"ns": older_than_ns, "ms": older_than_ns // 1_000_000}
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in _STATEMENTS:
            connection.execute(statement, times)
        emptied = [row[0] for row in connection.execute(_EMPTY_SERIES)]
        connection.execute("COMMIT")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return emptied


def shrink(connection: sqlite3.Connection, most_bytes: int) -> Iterator[list[int]]:
    """Delete the oldest records, of every kind alike, until what is left takes no more than ``most_bytes``; for each transaction the ids.

    The file does not become smaller: what is free in it is used again. Raises sqlite3.Error.
    """
    while used_bytes(connection) > most_bytes:
        oldest, newest = connection.execute(_SPAN).fetchone()
        if oldest is None or oldest >= newest:
            break
        # A twentieth of the time at once, rounded up, so that it ends.
        yield prune(connection, oldest + (newest - oldest) // 20 + 1_000_000)


def used_bytes(connection: sqlite3.Connection) -> int:
    """What the records and their indices take in the database file."""
    size, pages, free = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_size", "page_count", "freelist_count"))
    return int(size * (pages - free))
