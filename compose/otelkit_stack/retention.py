"""Forgetting by age."""

from __future__ import annotations

import sqlite3

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
