"""The tables of the database, as steps that only ever grow.

``PRAGMA user_version`` holds the number of steps a database has taken. A released step is never edited: to change a
table, append one. Logs and exemplars have no foreign key to spans, because they arrive before them, after them, or alone.

Times are Unix nanoseconds, those of samples, chunks and alerts milliseconds, which is all that Prometheus keeps. Ids of traces and
spans are their 16 and 8 bytes. ``resource``, ``scope`` and ``series`` are dictionaries: their id is a hash of their content, so that
a writer never has to look one up. Columns that hold JSON say so.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from itertools import groupby

import numpy as np

from otelkit_stack.metrics.chunk import MOST_SAMPLES, encode
from otelkit_stack.rows import loaded_float

_FIRST = """
CREATE TABLE resource (
    id INTEGER PRIMARY KEY,
    service TEXT NOT NULL,
    attributes TEXT NOT NULL        -- JSON object
);
CREATE TABLE scope (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    attributes TEXT NOT NULL        -- JSON object
);

CREATE TABLE span (
    trace_id BLOB NOT NULL,
    span_id BLOB NOT NULL,
    parent_span_id BLOB,
    resource_id INTEGER NOT NULL,
    scope_id INTEGER NOT NULL,
    service TEXT NOT NULL,
    name TEXT NOT NULL,
    kind INTEGER NOT NULL,          -- OTLP's SpanKind
    start_ns INTEGER NOT NULL,
    duration_ns INTEGER NOT NULL,
    status INTEGER NOT NULL,        -- OTLP's StatusCode
    status_message TEXT NOT NULL,
    route TEXT,
    attributes TEXT NOT NULL,       -- JSON object
    events TEXT NOT NULL,           -- JSON array of [time_ns, name, attributes]
    links TEXT NOT NULL             -- JSON array of [trace_id, span_id, attributes]
);
-- An exporter that saw no answer sends again: the same span twice is one span.
CREATE UNIQUE INDEX span_identity ON span (trace_id, span_id);
CREATE INDEX span_start ON span (start_ns, trace_id);
CREATE INDEX span_served ON span (start_ns, service, status, duration_ns, kind) WHERE kind = 2;  -- RED reads nothing else

CREATE TABLE log (
    time_ns INTEGER NOT NULL,
    severity_number INTEGER NOT NULL,
    severity TEXT NOT NULL,
    body TEXT NOT NULL,
    event_name TEXT NOT NULL,
    trace_id BLOB,
    span_id BLOB,
    resource_id INTEGER NOT NULL,
    scope_id INTEGER NOT NULL,
    service TEXT NOT NULL,
    attributes TEXT NOT NULL        -- JSON object
);
CREATE INDEX log_time ON log (time_ns);
CREATE INDEX log_trace ON log (trace_id) WHERE trace_id IS NOT NULL;

CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,             -- as Prometheus spells it
    labels TEXT NOT NULL            -- JSON object, sorted, without __name__
);
CREATE INDEX series_name ON series (name);
CREATE TABLE sample (
    series_id INTEGER NOT NULL,
    time_ms INTEGER NOT NULL,
    value NOT NULL,                 -- REAL, or the 8 bytes of a NaN, which SQLite would turn into NULL
    PRIMARY KEY (series_id, time_ms)
) WITHOUT ROWID;
CREATE TABLE exemplar (
    series_id INTEGER NOT NULL,
    time_ns INTEGER NOT NULL,
    value NOT NULL,                 -- as in sample
    trace_id BLOB NOT NULL,         -- empty where the measurement was made outside a trace
    span_id BLOB NOT NULL,
    labels TEXT NOT NULL            -- JSON object: the attributes the series has not
);
-- A cumulative histogram repeats its exemplar at every export.
CREATE UNIQUE INDEX exemplar_identity ON exemplar (series_id, time_ns, trace_id, span_id);
CREATE INDEX exemplar_trace ON exemplar (trace_id);
CREATE INDEX exemplar_time ON exemplar (time_ns);
"""

_CHUNK_TABLES = (
    """
CREATE TABLE chunk (
    id INTEGER PRIMARY KEY,
    series_id INTEGER NOT NULL,
    start_ms INTEGER NOT NULL,      -- of the first sample
    end_ms INTEGER NOT NULL,        -- of the last one
    data BLOB NOT NULL              -- metrics/chunk.py
)""",
    "CREATE INDEX chunk_series ON chunk (series_id, end_ms)",
    "CREATE INDEX chunk_end ON chunk (end_ms)",
    """
-- What came since the last checkpoint, a row for each transaction: metrics/sample_log.py
CREATE TABLE sample_log (id INTEGER PRIMARY KEY, data BLOB NOT NULL)""",
)


def _samples_become_chunks(connection: sqlite3.Connection) -> None:
    """A row for each sample took sixty bytes and a second for a board; a chunk takes three a sample."""
    for statement in _CHUNK_TABLES:
        connection.execute(statement)
    rows = connection.execute("SELECT series_id, time_ms, value FROM sample ORDER BY series_id, time_ms")
    for series_id, group in groupby(rows, key=lambda row: row[0]):
        samples = [(time_ms, loaded_float(value)) for _, time_ms, value in group]
        for first in range(0, len(samples), MOST_SAMPLES):
            times, values = zip(*samples[first : first + MOST_SAMPLES], strict=True)
            data = encode(np.array(times, dtype=np.int64), np.array(values, dtype=np.float64))
            connection.execute(
                "INSERT INTO chunk (series_id, start_ms, end_ms, data) VALUES (?, ?, ?, ?)", (series_id, times[0], times[-1], data)
            )
    connection.execute("DROP TABLE sample")


# What Loki keeps of a record beside the rest: the text of its severity as it was sent, the time it was seen, and its trace flags.
_WHOLE_RECORDS = """
ALTER TABLE log ADD COLUMN severity_sent TEXT NOT NULL DEFAULT '';
ALTER TABLE log ADD COLUMN observed_ns INTEGER NOT NULL DEFAULT 0;
ALTER TABLE log ADD COLUMN flags INTEGER NOT NULL DEFAULT 0;
"""

# What a query most often asks about a span stands in the index by time: with the columns elsewhere, each of a million spans cost a look-up.
_SPANS_BY_TIME = """
DROP INDEX span_start;
CREATE INDEX span_start ON span (start_ns, trace_id, resource_id, kind, status, duration_ns, name, parent_span_id);
"""

_ALERTS = """
CREATE TABLE alert_history (
    time_ms INTEGER NOT NULL,
    rule TEXT NOT NULL,
    labels TEXT NOT NULL,           -- JSON object
    state_before TEXT NOT NULL,     -- inactive, pending or firing
    state_after TEXT NOT NULL,
    value NOT NULL                  -- as in exemplar
);
CREATE INDEX alert_history_time ON alert_history (time_ms);
"""

# Which streams there are in a time, without reading a line.
_STREAMS = "CREATE INDEX log_stream ON log (resource_id, time_ns);"

STEPS: tuple[str | Callable[[sqlite3.Connection], None], ...] = (
    _FIRST,
    _samples_become_chunks,
    _WHOLE_RECORDS,
    _SPANS_BY_TIME,
    _ALERTS,
    _STREAMS,
)
VERSION = len(STEPS)


def version_of(connection: sqlite3.Connection) -> int:
    """How many steps the database has taken; 0 for an empty one."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def upgrade(connection: sqlite3.Connection) -> None:
    """Take the steps the database has not taken yet, each as a whole or not at all.

    The connection must be in autocommit mode. Raises sqlite3.Error; the database is then at the last whole step.
    """
    for number in range(version_of(connection), VERSION):
        step = STEPS[number]
        try:
            if isinstance(step, str):
                connection.executescript(f"BEGIN IMMEDIATE;\n{step}\nPRAGMA user_version = {number + 1};\nCOMMIT;")
            else:
                connection.execute("BEGIN IMMEDIATE")
                step(connection)
                connection.execute(f"PRAGMA user_version = {number + 1}")
                connection.execute("COMMIT")
        except sqlite3.Error:
            if connection.in_transaction:
                connection.rollback()
            raise
