"""The one execute wrapper of all connections, and how it gets there and away again."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from time import perf_counter, time_ns
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from opentelemetry import context as contexts
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer

from otelkit.catalog.metrics import DB_CLIENT_OPERATION_DURATION
from otelkit.config import Database
from otelkit.database.callers import CodeLine, calling_line, is_bookkeeping
from otelkit.database.queries import Query, query_of
from otelkit.database.statements import text_of
from otelkit.database.targets import target_of
from otelkit.metrics.aggregator import Aggregator
from otelkit.request.queries import Queries, Repeated
from otelkit.request.state import CURRENT
from otelkit.traces.contexts import context_of, span_in
from otelkit.traces.span import RecordingSpan
from otelkit.traces.suppression import is_suppressed, suppressed

logger = logging.getLogger("otelkit.database")

_OTHERS = "opentelemetry.instrumentation.dbapi"
"""The module that OpenTelemetry's instrumentations of drivers (sqlite3, psycopg, mysqlclient, ...) stand on."""


class QueryRecorder:
    """One execute wrapper for all connections. After :meth:`switch_off` it lets everything through at once.

    Transaction control (BEGIN, SAVEPOINT, RELEASE, ...) has a duration, but counts as no query: it is Django's bookkeeping, each
    ``atomic()`` would otherwise look like two queries, and SAVEPOINT like an N+1. It has a span only where it was slow or failed, which is
    when a reader wants to see it.
    """

    def __init__(self, tracer: Tracer, aggregator: Aggregator, settings: Database) -> None:
        self._tracer = tracer
        self._duration = aggregator.histogram(DB_CLIENT_OPERATION_DURATION)
        self._slow = settings.slow_query
        self._many = settings.n_plus_one
        self._is_on = True
        self._has_complained = False
        self._has_silenced = False

    def __call__(self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Mapping[str, Any]) -> Any:
        """Runs the query. ``context["connection"]`` is Django's connection."""
        if not self._is_on:
            self._remove_from(context["connection"])
            return execute(sql, params, many, context)
        trace_context = contexts.get_current()
        if trace_context and is_suppressed(trace_context):
            return execute(sql, params, many, context)
        if _OTHERS in sys.modules:
            execute = self._alone(execute)
        began = time_ns()
        started = perf_counter()
        try:
            result = execute(sql, params, many, context)
        except BaseException as error:
            self._record(sql, params, context["connection"], trace_context, began, started, perf_counter(), error)
            raise
        self._record(sql, params, context["connection"], trace_context, began, started, perf_counter(), None)
        return result

    def _alone(self, execute: Callable[..., Any]) -> Callable[..., Any]:
        """The query without a second span, by an instrumentation of its driver."""
        if not self._has_silenced:
            self._has_silenced = True
            logger.info("OpenTelemetry's instrumentation of database drivers stays silent within Django's queries, which otelkit follows.")

        def execute_alone(*arguments: Any) -> Any:
            token = contexts.attach(suppressed())
            try:
                return execute(*arguments)
            finally:
                contexts.detach(token)

        return execute_alone

    def _record(
        self,
        sql: Any,
        params: Any,
        connection: Any,
        context: Context,
        began: int,
        started: float,
        ended: float,
        error: BaseException | None,
    ) -> None:
        """Records the query behind it; a failure of ours is logged once and goes no further."""
        try:
            text = sql if type(sql) is str else text_of(sql, connection)
            query = query_of(text, target_of(connection), has_parameters=_has(params, sql))
            self._measure(query, context, began, ended - started, error)
            state = CURRENT.get()
            if state is not None and state.own_time is not None:
                state.own_time += perf_counter() - ended
        except Exception:
            if not self._has_complained:
                self._has_complained = True
                logger.exception("otelkit could not record a query; the query is not affected. Further failures are not logged.")

    def _measure(self, query: Query, context: Context, began: int, elapsed: float, error: BaseException | None) -> None:
        span = span_in(context)
        statement = query.statement
        labels = query.labels if error is None else (*query.labels[:-1], type(error).__qualname__)
        self._duration.record(elapsed, labels, None if span is None else context_of(span))
        state = CURRENT.get()
        queries = None if state is None else state.queries
        runs = 0
        if queries is not None:
            if statement.is_transaction_control:
                queries.add_transaction_control(elapsed)
            else:
                runs = queries.add(statement.shape, elapsed)
        is_slow = elapsed >= self._slow
        is_traced = span is not None and span.is_recording()
        line = None
        if runs == self._many or (is_traced and (is_slow or runs > self._many)):
            line = _line(queries)
            if queries is not None and runs == self._many and not is_bookkeeping():
                queries.mark(statement.shape, Repeated(statement.summary, statement.text, str(line) if line else None, runs))
        # A query outside of any trace (a migration, a shell) is counted, but starts no trace of its own.
        if is_traced and (is_slow or error is not None or not statement.is_transaction_control):
            self._trace(query, context, began, elapsed, error, line)

    def _trace(
        self, query: Query, context: Context, began: int, elapsed: float, error: BaseException | None, line: CodeLine | None
    ) -> None:
        attributes = query.attributes.copy()
        if line is not None:
            attributes |= {"code.file.path": line.path, "code.line.number": line.line, "code.function.name": line.function}
        # Made after the query, with its times: all attributes at once, and no span where there turned out to be nothing to say.
        span = self._tracer.start_span(query.statement.summary, context, SpanKind.CLIENT, None, None, began)
        if type(span) is RecordingSpan:
            span.fill(attributes, is_small=query.is_small and line is None)
        else:
            span.set_attributes(attributes)
        if error is not None:
            _mark(span, error)
        span.end(began + int(elapsed * 1e9))

    def add_to(self, connection: BaseDatabaseWrapper) -> None:
        """Puts this wrapper on a connection, once."""
        if self not in connection.execute_wrappers:
            # In front: Django's execute_wrapper() takes its own off again with pop(), whichever stands last.
            connection.execute_wrappers.insert(0, self)

    def switch_on(self) -> None:
        """Wraps the open connections of this thread, and every one that opens later."""
        connection_created.connect(self._on_created, dispatch_uid="otelkit.database")
        for connection in connections.all(initialized_only=True):
            self.add_to(connection)

    def switch_off(self) -> None:
        """Takes the wrapper off. Other threads' connections are theirs alone: there it takes itself off at the next query."""
        self._is_on = False
        connection_created.disconnect(dispatch_uid="otelkit.database")
        for connection in connections.all(initialized_only=True):
            self._remove_from(connection)

    def _remove_from(self, connection: BaseDatabaseWrapper) -> None:
        if self in connection.execute_wrappers:
            connection.execute_wrappers.remove(self)

    def _on_created(self, connection: BaseDatabaseWrapper, **_: Any) -> None:
        self.add_to(connection)


def _mark(span: Span, error: BaseException) -> None:
    error_type = type(error).__qualname__
    span.set_attribute("error.type", error_type)
    # The database's own code: psycopg 3 calls it sqlstate, psycopg2 pgcode. Django wraps the driver's exception.
    code = getattr(error.__cause__, "sqlstate", None) or getattr(error.__cause__, "pgcode", None)
    if code:
        span.set_attribute("db.response.status_code", str(code))
    span.set_status(Status(StatusCode.ERROR, error_type))


def _has(params: Any, sql: Any) -> bool:
    """Whether the values travel beside the statement. What a driver composes (psycopg.sql) holds literals all the same."""
    return isinstance(sql, str) and bool(params)


def _line(queries: Queries | None) -> CodeLine | None:
    task = queries.task() if queries is not None and queries.task is not None else None
    return calling_line(task)
