"""Traces of the store for a query: found newest first, read whole, within limits of spans and time."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from otelkit_stack.traceql import syntax as s
from otelkit_stack.traceql.columns import COLUMNS, columns_for, concern_traces
from otelkit_stack.traceql.errors import TooMuchError, TooSlowError
from otelkit_stack.traceql.fields import holds
from otelkit_stack.traceql.pushdown import Owners, Where, narrowed
from otelkit_stack.traceql.spans import Owner, Span, Trace

MOST_SPANS = 2_000_000
"""Spans that one answer may read."""
TIMEOUT_S = 30.0
SPREAD_NS = 600_000_000_000
"""How far a span may lie outside a window that its trace reaches into, and the trace still be found by it: ten minutes."""

_SPANS = f"SELECT {', '.join(COLUMNS)} FROM span"  # noqa: S608 - our own names
FOUND = "SELECT {columns} FROM span WHERE start_ns >= ? AND start_ns <= ? AND {where} ORDER BY start_ns DESC"
STARTED = "SELECT {columns} FROM span WHERE start_ns >= ? AND start_ns <= ? AND {where}"
_LARGEST = 2**63 - 1


class Source:
    """Reads through a connection, which must be its user's alone while it does.

    Raises TooMuchError and TooSlowError where a query would read more than ``most_spans``, or for longer than ``timeout_s``.
    """

    def __init__(self, connection: sqlite3.Connection, *, most_spans: int = MOST_SPANS, timeout_s: float = TIMEOUT_S) -> None:
        self._connection = connection
        self._most_spans = most_spans
        self._timeout_s = timeout_s
        self._ends = time.monotonic() + timeout_s
        self.spans_read = self.traces_read = 0
        self.bytes_read = 0
        if not connection.in_transaction:
            connection.execute("BEGIN")  # one view of all tables: a span that arrives meanwhile would have no resource
        self.owners = Owners(
            {
                key: Owner(json.loads(attributes), service)
                for key, service, attributes in connection.execute("SELECT id, service, attributes FROM resource")
            },
            {
                key: Owner(json.loads(attributes), name, version)
                for key, name, version, attributes in connection.execute("SELECT id, name, version, attributes FROM scope")
            },
        )

    @contextmanager
    def bounded(self) -> Iterator[None]:
        """Interrupts SQLite itself once the time is over."""
        self._connection.set_progress_handler(lambda: time.monotonic() > self._ends, 20_000)
        try:
            yield
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname == "SQLITE_INTERRUPT":
                raise self._too_slow() from error
            raise
        finally:
            self._connection.set_progress_handler(None, 0)

    def check_time(self) -> None:
        """Raises TooSlowError once the time is over."""
        if time.monotonic() > self._ends:
            raise self._too_slow()

    def newest(self, condition: s.Field | None, start_ns: int, end_ns: int) -> Iterator[bytes]:
        """Ids of the traces with a span that may meet the condition and started about then, each once, by such spans, the newest first."""
        known: set[bytes] = set()
        for trace_id in self._found(condition, max(0, start_ns - SPREAD_NS), min(end_ns + SPREAD_NS, _LARGEST)):
            if trace_id not in known:
                known.add(trace_id)
                yield trace_id

    def _found(self, condition: s.Field | None, start_ns: int, end_ns: int) -> Iterator[bytes]:
        where = narrowed(condition, self.owners)
        values = (start_ns, end_ns, *where.values)
        attributes = [*s.attributes_of(condition)]
        if condition is None or concern_traces(attributes):
            for (trace_id,) in self._connection.execute(FOUND.format(columns="trace_id", where=where.sql), values):
                yield trace_id
            return
        # To ask the span alone first is much quicker than to read its trace for nothing.
        fits = holds(condition)
        for span in self.newest_spans(condition, attributes, start_ns, end_ns):
            if fits(span):
                yield span.trace_id

    def newest_spans(
        self, condition: s.Field | None, attributes: Iterable[s.Attribute], start_ns: int, end_ns: int, *, most: int = -1
    ) -> Iterator[Span]:
        """Spans that may meet the condition and started then, the newest first, with what the attributes need; ``most`` of them."""
        where = narrowed(condition, self.owners)
        sql = FOUND.format(columns=", ".join(columns_for(attributes)), where=where.sql) + " LIMIT ?"
        yield from map(self.span, self._connection.execute(sql, (start_ns, end_ns, *where.values, most)))

    def traces(self, ids: Sequence[bytes]) -> list[Trace]:
        """The traces of these ids, whole, in their order."""
        marks = ", ".join("?" * len(ids))
        by_trace: dict[bytes, list[Span]] = {}
        for row in self._connection.execute(f"{_SPANS} WHERE trace_id IN ({marks})", ids):
            by_trace.setdefault(row[0], []).append(self.span(row))
        self.traces_read += len(by_trace)
        return [Trace(by_trace[key]) for key in ids if key in by_trace]

    def started(self, columns: Sequence[str], where: Where, start_ns: int, end_ns: int) -> Iterator[Span]:
        """The spans that meet the condition and started then, without their traces; ``columns`` are :data:`COLUMNS` or blanks."""
        sql = STARTED.format(columns=", ".join(columns), where=where.sql)
        yield from map(self.span, self._connection.execute(sql, (start_ns, end_ns, *where.values)))

    def span(self, row: tuple[Any, ...]) -> Span:
        """The span of a row of :data:`COLUMNS`."""
        self._count()
        self.bytes_read += len(row[12]) + len(row[13]) + len(row[14])
        return Span(row, self.owners.resources.get(row[3], _NOBODY), self.owners.scopes.get(row[4], _NOBODY))

    def _count(self) -> None:
        self.spans_read += 1
        if self.spans_read > self._most_spans:
            raise TooMuchError(
                f"the query reads more than {self._most_spans} spans: make the time shorter, or name a resource.service.name"
            )
        if not self.spans_read % 1024:
            self.check_time()

    def _too_slow(self) -> TooSlowError:
        return TooSlowError(f"the query took longer than {self._timeout_s:g} s: make the time shorter, or add a condition")


_NOBODY = Owner({})
