"""Forgetting by age."""

from __future__ import annotations

import sqlite3

_STATEMENTS = (
    "DELETE FROM span WHERE start_ns < :ns",
    "DELETE FROM log WHERE time_ns < :ns",
    "DELETE FROM exemplar WHERE time_ns < :ns",
    # Named series by series, so that the primary key finds the old samples and nothing is scanned.
    "DELETE FROM sample WHERE series_id IN (SELECT id FROM series) AND time_ms < :ms",
    "DELETE FROM series WHERE id NOT IN (SELECT series_id FROM sample) AND id NOT IN (SELECT series_id FROM exemplar)",
)


def prune(connection: sqlite3.Connection, older_than_ns: int) -> None:
    """Delete, in one transaction, what happened before a time in Unix nanoseconds.

    Resources and scopes stay: there is one per worker and library, and logs, spans and later records share them.
    The connection must be in autocommit mode. Raises sqlite3.Error, with nothing deleted.
    """
    times = {"ns": older_than_ns, "ms": older_than_ns // 1_000_000}
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in _STATEMENTS:
            connection.execute(statement, times)
        connection.execute("COMMIT")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
