"""Database queries of every connection: span, duration, and the counts that show N+1.

Django's own ``execute_wrapper`` hook is used, so engines, drivers and pools stay as the project chose them, and results and exceptions
pass through untouched.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from time import perf_counter
from typing import Any, NamedTuple

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer

from otelkit.catalog.metrics import DB_CLIENT_OPERATION_DURATION
from otelkit.metrics.aggregator import Aggregator
from otelkit.redaction import sanitize_sql
from otelkit.request.state import CURRENT
from otelkit.traces.suppression import is_suppressed

logger = logging.getLogger("otelkit.database")

_SYSTEMS = {"postgresql": "postgresql", "sqlite": "sqlite", "mysql": "mysql", "oracle": "oracle.db", "microsoft": "microsoft.sql_server"}
"""Django's vendor name to db.system.name (semantic conventions, database)."""

_OPERATION = re.compile(r"\s*(?:--[^\n]*\n\s*|/\*.*?\*/\s*)*([A-Za-z]+)", re.DOTALL)
_TABLE = re.compile(
    r"\b(?:FROM|INTO|UPDATE|JOIN|TABLE)\s+(?:ONLY\s+|IF\s+(?:NOT\s+)?EXISTS\s+)?((?:[\"`\[]?[\w$]+[\"`\]]?\.)*[\"`\[]?[\w$]+[\"`\]]?)",
    re.IGNORECASE,
)
_LONGEST_STATEMENT = 8192
"""Characters of a statement that a span carries."""
_LONGEST_REMEMBERED = 4096
"""Characters of a statement whose parsing is remembered: each length of an ``IN`` list is a statement of its own, some of a megabyte."""
_NAMED_ANEW = ("SAVEPOINT ", "RELEASE SAVEPOINT ", "ROLLBACK TO SAVEPOINT ")
"""Statements with a name that Django makes up each time: remembering them would push out all others."""


class Statement(NamedTuple):
    """What a statement does, as labels want it."""

    operation: str
    table: str | None
    text: str

    @property
    def summary(self) -> str:
        """``SELECT orders_order``: name of the span (db.query.summary)."""
        return f"{self.operation} {self.table}" if self.table else self.operation


def parse_statement(sql: object, *, has_parameters: bool, connection: object = None) -> Statement:
    """Operation, first table and text of a statement. Literals are only taken out where the values are not parameters already.

    ``sql`` is text, bytes, or one of psycopg's composed statements, which are put together for ``connection``.
    """
    if isinstance(sql, bytes | bytearray):
        sql = sql.decode("utf-8", "replace")
    elif not isinstance(sql, str):
        compose = getattr(sql, "as_string", None)
        sql = compose(connection) if compose else str(sql)
        has_parameters = False  # psycopg's sql.Literal puts values into the text
    text = str(sql)
    remembered = len(text) <= _LONGEST_REMEMBERED and not text.startswith(_NAMED_ANEW)
    return (_parse_remembered if remembered else _parse)(text, has_parameters=has_parameters)


def _parse(sql: str, *, has_parameters: bool) -> Statement:
    text = sql if has_parameters else sanitize_sql(sql)
    operation = _OPERATION.match(text)
    table = _TABLE.search(text)
    return Statement(
        operation.group(1).upper() if operation else "QUERY",
        re.sub(r"[\"`\[\]]", "", table.group(1)) if table else None,
        text[:_LONGEST_STATEMENT],
    )


_parse_remembered = lru_cache(maxsize=2048)(_parse)


class Query(NamedTuple):
    """One query under way. ``span`` is None outside of a trace."""

    connection: BaseDatabaseWrapper
    statement: Statement
    parent: Span
    span: Span | None
    started: float
    """Reading of the performance counter, in seconds."""


class QueryRecorder:
    """One execute wrapper for all connections. After :meth:`switch_off` it lets everything through at once."""

    def __init__(self, tracer: Tracer, aggregator: Aggregator) -> None:
        self._tracer = tracer
        self._duration = aggregator.histogram(DB_CLIENT_OPERATION_DURATION)
        self._is_on = True

    def __call__(self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Mapping[str, Any]) -> Any:
        """Runs the query. ``context["connection"]`` is Django's connection."""
        if not self._is_on or is_suppressed():
            return execute(sql, params, many, context)
        query = self._begin(sql, context["connection"], has_parameters=bool(params))
        try:
            result = execute(sql, params, many, context)
        except BaseException as error:
            self._end(query, error)
            raise
        self._end(query, None)
        return result

    def _begin(self, sql: object, connection: BaseDatabaseWrapper, *, has_parameters: bool) -> Query | None:
        """None where we fail: the query runs all the same."""
        try:
            statement = parse_statement(sql, has_parameters=has_parameters, connection=connection.connection)
            parent = trace.get_current_span()
            # A query outside of any trace (a migration, a shell) is counted, but starts no trace of its own.
            span = self._tracer.start_span(statement.summary, kind=SpanKind.CLIENT) if parent.is_recording() else None
            return Query(connection, statement, parent, span, perf_counter())
        except Exception:
            logger.exception("otelkit could not follow a query; the query itself is not affected.")
            return None

    def _end(self, query: Query | None, error: BaseException | None) -> None:
        if query is None:
            return
        elapsed = perf_counter() - query.started
        try:
            self._record(query, elapsed, None if error is None else type(error).__qualname__)
        except Exception:
            logger.exception("otelkit could not record a query; its result is not affected.")

    def _record(self, query: Query, elapsed: float, error_type: str | None) -> None:
        connection, statement, parent, span, _ = query
        self._count(statement, elapsed)
        system, namespace = _SYSTEMS.get(connection.vendor, connection.vendor), database_name(connection)
        labels = (system, namespace, statement.operation, statement.table, error_type)
        self._duration.record(elapsed, labels, parent.get_span_context())
        if span is not None:
            span.set_attributes(_attributes(connection, statement, system, namespace))
            if error_type:
                span.set_attribute("error.type", error_type)
                span.set_status(Status(StatusCode.ERROR, error_type))
            span.end()

    @staticmethod
    def _count(statement: Statement, elapsed: float) -> None:
        state = CURRENT.get()
        if state is not None:
            queries = state.queries
            queries.count += 1
            queries.duration += elapsed
            queries.statements[statement.text] = queries.statements.get(statement.text, 0) + 1

    def add_to(self, connection: BaseDatabaseWrapper) -> None:
        """Puts this wrapper on a connection, once."""
        if self not in connection.execute_wrappers:
            connection.execute_wrappers.append(self)

    def switch_on(self) -> None:
        """Wraps the open connections, and every one that opens later."""
        connection_created.connect(self._on_created, dispatch_uid="otelkit.database")
        for connection in connections.all(initialized_only=True):
            self.add_to(connection)

    def switch_off(self) -> None:
        """Takes the wrapper off. Connections of other threads keep it, where it does nothing any more."""
        self._is_on = False
        connection_created.disconnect(dispatch_uid="otelkit.database")
        for connection in connections.all(initialized_only=True):
            if self in connection.execute_wrappers:
                connection.execute_wrappers.remove(self)

    def _on_created(self, connection: BaseDatabaseWrapper, **_: Any) -> None:
        self.add_to(connection)


def _attributes(connection: BaseDatabaseWrapper, statement: Statement, system: str, namespace: str) -> dict[str, Any]:
    attributes = {
        "db.system.name": system,
        "db.namespace": namespace,
        "db.operation.name": statement.operation,
        "db.query.summary": statement.summary,
        "db.query.text": statement.text,
    }
    if statement.table:
        attributes["db.collection.name"] = statement.table
    host = connection.settings_dict.get("HOST")
    if host:
        attributes["server.address"] = str(host)
    return attributes


def database_name(connection: BaseDatabaseWrapper) -> str:
    """The database's name; of SQLite the file's, without the folder, which differs between machines."""
    name = str(connection.settings_dict.get("NAME") or connection.alias)
    if connection.vendor != "sqlite":
        return name
    return ":memory:" if ":memory:" in name or "mode=memory" in name else name.replace("\\", "/").rpartition("/")[2]
