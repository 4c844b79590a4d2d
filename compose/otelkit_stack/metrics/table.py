"""The tables ``chunk`` and ``sample_log``, read and written. Every function raises sqlite3.Error."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Container, Iterable, Sequence

import numpy as np

from otelkit_stack.metrics.chunk import Times, Values, decode, encode
from otelkit_stack.metrics.head import OpenChunk
from otelkit_stack.metrics.sample_log import pack, unpack
from otelkit_stack.rows import SampleRows

Runs = dict[int, tuple[Times, Values]]
"""Runs of samples by the rows they have in a table: a lower row came first."""

_CHUNKS = """
SELECT id, series_id, data FROM chunk
WHERE series_id IN (SELECT value FROM json_each(?)) AND end_ms >= ? AND start_ms <= ?
"""

_HAVING = """
SELECT wanted.value FROM json_each(?) AS wanted
WHERE EXISTS (SELECT 1 FROM chunk WHERE series_id = wanted.value AND end_ms >= ? AND start_ms <= ?)
"""


def write_log(connection: sqlite3.Connection, samples: Sequence[SampleRows]) -> None:
    """Puts the samples of a transaction into the log."""
    connection.execute("INSERT INTO sample_log (data) VALUES (?)", (pack(samples),))


def read_log(connection: sqlite3.Connection) -> Iterable[SampleRows]:
    """The samples that no checkpoint has seen yet, by transaction, in their order."""
    for (data,) in connection.execute("SELECT data FROM sample_log ORDER BY id"):
        samples, (series_ids, times, values) = SampleRows(), unpack(data)
        samples.series_ids.frombytes(series_ids.tobytes())
        samples.times_ms.frombytes(times.tobytes())
        samples.values.frombytes(values.tobytes())
        yield samples


def clear_log(connection: sqlite3.Connection) -> None:
    """Empties the log: its samples are in chunks now."""
    connection.execute("DELETE FROM sample_log")


def write_chunk(connection: sqlite3.Connection, series_id: int, chunk: OpenChunk) -> int:
    """Puts a chunk away, again where it has grown since; the id of its row."""
    times, values = chunk.arrays()
    row = (int(times[0]), int(times[-1]), encode(times, values))
    if chunk.row is not None:
        changed = connection.execute("UPDATE chunk SET start_ms = ?, end_ms = ?, data = ? WHERE id = ?", (*row, chunk.row))
        if changed.rowcount:  # 0 where retention has taken it meanwhile
            return chunk.row
    inserted = connection.execute("INSERT INTO chunk (series_id, start_ms, end_ms, data) VALUES (?, ?, ?, ?)", (series_id, *row))
    return int(inserted.lastrowid or 0)


def read_chunks(
    connection: sqlite3.Connection, series_ids: Sequence[int], start_ms: int, end_ms: int, known: Container[int]
) -> dict[int, Runs]:
    """By series: the chunks that overlap the time from ``start_ms`` to ``end_ms``, without the rows that are ``known``."""
    found: dict[int, Runs] = defaultdict(dict)
    for row, series_id, data in connection.execute(_CHUNKS, (json.dumps(series_ids), start_ms, end_ms)):
        if row not in known:
            found[series_id][row] = decode(data)
    return found


def having_chunks(connection: sqlite3.Connection, series_ids: Sequence[int], start_ms: int, end_ms: int) -> set[int]:
    """Those of the series that have a chunk which reaches into the time, both ends included."""
    return {row[0] for row in connection.execute(_HAVING, (json.dumps(series_ids), start_ms, end_ms))}


def read_logged(connection: sqlite3.Connection, series_ids: Sequence[int]) -> dict[int, dict[int, float]]:
    """By series: values by time that the log holds, for other processes, which do not see the head."""
    wanted = np.array(series_ids, dtype=np.int64)
    found: dict[int, dict[int, float]] = defaultdict(dict)
    for (data,) in connection.execute("SELECT data FROM sample_log ORDER BY id"):
        ids, times, values = unpack(data)
        fits = np.isin(ids, wanted)
        for series_id, time, value in zip(ids[fits].tolist(), times[fits].tolist(), values[fits].tolist(), strict=True):
            found[series_id].setdefault(time, value)
    return found
