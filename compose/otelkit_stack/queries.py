"""The store's reading side: questions about what the stack received, from any process, while it runs or afterwards."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from otelkit_stack.database import database_file, explain, open_reader
from otelkit_stack.errors import StackError
from otelkit_stack.loading import alert_change_from, exemplar_from, log_from, span_from
from otelkit_stack.metrics.samples import samples_on_disk
from otelkit_stack.records import AlertChange, Exemplar, LogRecord, Series, ServiceRed, Span, Trace, TraceSummary
from otelkit_stack.red import red_of

_SPANS = """
SELECT span.*, resource.attributes AS resource, scope.name AS scope_name, scope.version AS scope_version
FROM span JOIN resource ON resource.id = span.resource_id JOIN scope ON scope.id = span.scope_id
"""
_LOGS = "SELECT log.*, resource.attributes AS resource FROM log JOIN resource ON resource.id = log.resource_id"
_EXEMPLARS = """
SELECT exemplar.*, series.name AS series_name, series.labels AS series_labels
FROM exemplar JOIN series ON series.id = exemplar.series_id
"""
_SUMMARY = """
SELECT count(*) AS spans, sum(status = 2) AS errors, min(start_ns) AS start_ns, max(start_ns + duration_ns) AS end_ns
FROM span WHERE trace_id = ?
"""
_ROOT = "SELECT service, name FROM span WHERE trace_id = ? ORDER BY parent_span_id IS NOT NULL, start_ns, span_id LIMIT 1"

# The durations of a service as one text: a row for each of its requests would be a quarter of a kilobyte, and ten thousand come a second.
_SERVED = """
SELECT service, min(start_ns) AS first_ns, sum(status = 2) AS errors, group_concat(duration_ns) AS durations
FROM span WHERE kind = 2 AND start_ns >= ? GROUP BY service ORDER BY service
"""

_EVER_MS = 2**63 - 1


class Queries:
    """Reads the database at a path, a folder standing for the ``otelkit.db`` in it, through a read-only connection of its own.

    What a receiver acknowledged is visible once its transaction is: at most a quarter of a second later, or at once after
    ``Store.flush()`` or ``POST /-/flush``. Safe to use from several threads. Raises StackError where the database does not
    exist, is newer than this otelkit, or cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.file = database_file(path)
        self._connection = open_reader(self.file)
        self._connection.row_factory = sqlite3.Row
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let the database go, after the question that another thread asks just now."""
        with self._lock:
            self._connection.close()

    def trace(self, trace_id: str) -> Trace | None:
        """All that carries the trace id (hex, padded here to 32 digits); None for an id that is unknown, or no id."""
        key = id_bytes(trace_id)
        if key is None:
            return None
        spans = self._spans(key)
        logs = self.logs(trace_id=trace_id, limit=-1)
        exemplars = self.exemplars(trace_id=trace_id)
        if not (spans or logs or exemplars):
            return None
        return Trace(key.hex(), spans, tuple(sorted(logs, key=lambda record: record.time_ns)), exemplars)

    def newest_traces(self, limit: int = 50) -> tuple[TraceSummary, ...]:
        """The traces whose spans started last, the newest first."""
        keys: dict[bytes, None] = {}
        with self._lock:
            # Reads the index backwards only until it has seen enough traces.
            for (key,) in self._connection.execute("SELECT trace_id FROM span ORDER BY start_ns DESC"):
                if len(keys) >= limit:
                    break
                keys[key] = None
        return tuple(sorted((self._summary(key) for key in keys), key=lambda summary: -summary.start_ns))

    def slowest_trace(self, since_ns: int) -> TraceSummary | None:
        """Of the traces with a span that started since, the one that took longest from its first start to its last end."""
        rows = self._rows(
            "SELECT trace_id FROM span WHERE trace_id IN (SELECT trace_id FROM span WHERE start_ns >= ?) GROUP BY trace_id"
            " ORDER BY max(start_ns + duration_ns) - min(start_ns) DESC LIMIT 1",
            since_ns,
        )
        return self._summary(rows[0]["trace_id"]) if rows else None

    def logs(
        self, *, trace_id: str | None = None, service: str | None = None, since_ns: int = 0, limit: int = 100
    ) -> tuple[LogRecord, ...]:
        """The newest log records that match, the newest first; ``limit=-1`` for all."""
        where, values = _where(
            {
                "time_ns >= ?": since_ns,
                "trace_id = ?": None if trace_id is None else id_bytes(trace_id) or b"no id",
                "log.service = ?": service,
            }
        )
        return tuple(map(log_from, self._rows(f"{_LOGS} {where} ORDER BY time_ns DESC, log.rowid DESC LIMIT ?", *values, limit)))

    def red(self, since_ns: int) -> tuple[ServiceRed, ...]:
        """Requests, errors and durations of each service, from the SERVER spans that started since.

        The rate is over the time from the first of these requests, or ``since_ns`` where that is later, until now.
        """
        rows = self._rows(_SERVED, since_ns)
        if not rows:
            return ()
        first_ns = min(row["first_ns"] for row in rows)
        window_s = max(1.0, (time.time_ns() - max(first_ns, since_ns)) / 1e9)
        return tuple(
            red_of(row["service"], row["errors"], np.fromstring(row["durations"], dtype=np.int64, sep=","), window_s) for row in rows
        )

    def services(self) -> tuple[str, ...]:
        """Names of the services that sent a span or a log record, sorted."""
        return tuple(row["service"] for row in self._rows("SELECT DISTINCT service FROM resource ORDER BY service"))

    def series(self, name: str, /, **labels: str) -> tuple[Series, ...]:
        """Series of that Prometheus name whose labels have these values, with all their samples."""
        rows = self._rows("SELECT id, labels FROM series WHERE name = ? ORDER BY labels", name)
        wanted = {row["id"]: its for row in rows if labels.items() <= (its := json.loads(row["labels"])).items()}
        try:
            with self._lock:
                samples = samples_on_disk(self._connection, [*wanted], 0, _EVER_MS)
        except sqlite3.OperationalError as error:
            raise StackError(explain(error, self.file)) from error
        return tuple(
            Series(name, its, tuple((int(time_ms) * 1_000_000, float(value)) for time_ms, value in zip(*samples[key], strict=True)))
            for key, its in wanted.items()
        )

    def exemplars(self, name: str | None = None, trace_id: str | None = None) -> tuple[Exemplar, ...]:
        """Exemplars by time; ``name`` is that of a series, which for a histogram ends in ``_bucket``."""
        where, values = _where(
            {"series.name = ?": name, "exemplar.trace_id = ?": None if trace_id is None else id_bytes(trace_id) or b"no id"}
        )
        return tuple(map(exemplar_from, self._rows(f"{_EXEMPLARS} {where} ORDER BY exemplar.time_ns", *values)))

    def alert_history(self, *, since_ns: int = 0, limit: int = 100) -> tuple[AlertChange, ...]:
        """What became of alerts, the newest first; ``limit=-1`` for all."""
        sql = "SELECT * FROM alert_history WHERE time_ms >= ? ORDER BY time_ms DESC, rowid DESC LIMIT ?"
        return tuple(map(alert_change_from, self._rows(sql, since_ns // 1_000_000, limit)))

    def _spans(self, key: bytes) -> tuple[Span, ...]:
        return tuple(map(span_from, self._rows(f"{_SPANS} WHERE trace_id = ? ORDER BY start_ns, span_id", key)))

    def _summary(self, key: bytes) -> TraceSummary:
        (totals,), (root,) = self._rows(_SUMMARY, key), self._rows(_ROOT, key)
        return TraceSummary(
            trace_id=key.hex(),
            service=root["service"],
            name=root["name"],
            start_ns=totals["start_ns"],
            duration_s=(totals["end_ns"] - totals["start_ns"]) / 1e9,
            spans=totals["spans"],
            errors=totals["errors"],
        )

    def _rows(self, sql: str, *parameters: object) -> list[Any]:
        try:
            with self._lock:
                return self._connection.execute(sql, parameters).fetchall()
        except sqlite3.OperationalError as error:
            raise StackError(explain(error, self.file)) from error


def id_bytes(trace_id: str) -> bytes | None:
    """The 16 bytes of a trace id in hex; some tools leave out zeros in front. None for a text that is no id."""
    try:
        return bytes.fromhex(trace_id.strip().rjust(32, "0")) if 0 < len(trace_id.strip()) <= 32 else None
    except ValueError:
        return None


def _where(conditions: Mapping[str, object]) -> tuple[str, list[object]]:
    """A WHERE clause of the conditions whose value is not None, and the values."""
    wanted = {condition: value for condition, value in conditions.items() if value is not None}
    return (f"WHERE {' AND '.join(wanted)}" if wanted else ""), [*wanted.values()]
