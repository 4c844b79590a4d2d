"""Batches into tables, many rows in each statement.

Python gives the interpreter away at every step of a statement, and gets it back only when whoever parses a request meanwhile lets go,
which it may do after five milliseconds: then forty rows in each statement are no more than eight thousand rows a second.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import chain

from otelkit_stack.metrics.label_index import LabelIndex
from otelkit_stack.rows import AlertChangeRow, Batch, ExemplarRow, LogRow, ResourceRow, ScopeRow, SeriesRow, SpanRow

TOGETHER = (256, 64, 16, 4, 1)
"""Rows of one statement: as many as there are, then as many as are left."""

Rows = Sequence[tuple[object, ...]]

_COLUMNS = {
    "resource": ResourceRow._fields,
    "scope": ScopeRow._fields,
    "series": SeriesRow._fields,
    "span": SpanRow._fields,
    "log": LogRow._fields,
    "exemplar": ExemplarRow._fields,
    "alert_history": AlertChangeRow._fields,
}


def insert(connection: sqlite3.Connection, batches: Sequence[Batch], known_series: LabelIndex) -> None:
    """Within the writer's transaction: puts everything but samples into its table, and leaves out series that are there already.

    Raises sqlite3.Error, and OverflowError for a number that no column holds.
    """
    most_values = connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER)
    for table, rows in _rows(batches, known_series):
        done = 0
        for together in TOGETHER:
            if together * len(_COLUMNS[table]) > most_values:  # an old SQLite takes 999
                continue
            while len(rows) - done >= together:
                connection.execute(_statement(table, together), [*chain.from_iterable(rows[done : done + together])])
                done += together


def _rows(batches: Sequence[Batch], known_series: LabelIndex) -> Iterator[tuple[str, Rows]]:
    yield "resource", _entries(batch.resources for batch in batches)
    yield "scope", _entries(batch.scopes for batch in batches)
    series = {series_id: batch.series[series_id] for batch in batches for series_id in known_series.unknown(batch.series)}
    yield "series", [*series.values()]
    yield "span", [row for batch in batches for row in batch.spans]
    yield "log", [row for batch in batches for row in batch.logs]
    yield "exemplar", [row for batch in batches for row in batch.exemplars]
    yield "alert_history", [row for batch in batches for row in batch.alert_changes]


def _entries(
    dictionaries: Iterable[dict[int, ResourceRow] | dict[int, ScopeRow]],
) -> list[ResourceRow | ScopeRow]:
    merged: dict[int, ResourceRow | ScopeRow] = {}
    for dictionary in dictionaries:
        merged.update(dictionary)
    return [*merged.values()]


@cache
def _statement(table: str, rows: int) -> str:
    # OR IGNORE: dictionary entries are there already, as a rule, and a record that was sent twice is one record.
    columns = _COLUMNS[table]
    row = f"({', '.join('?' * len(columns))})"
    return f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES {', '.join([row] * rows)}"  # noqa: S608 - our own names
