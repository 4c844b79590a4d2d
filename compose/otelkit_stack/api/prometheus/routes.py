"""The paths of Prometheus' API, each with what answers it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from otelkit_stack.api.parameters import parameters_of
from otelkit_stack.api.prometheus import exemplars, queries, series, status
from otelkit_stack.api.prometheus.asked import Asked
from otelkit_stack.api.prometheus.errors import failed
from otelkit_stack.api.prometheus.parameters import Given
from otelkit_stack.database import explain, open_reader
from otelkit_stack.errors import StackError
from otelkit_stack.promql.errors import QueryError
from otelkit_stack.store import Store

Answer = Callable[[Given, Asked], object]
"""Makes the body of an answer. Raises QueryError."""

_GET, _BOTH = ["GET"], ["GET", "POST"]
_ANSWERS: tuple[tuple[str, Answer, list[str]], ...] = (
    ("query", queries.instant, _BOTH),
    ("query_range", queries.at_steps, _BOTH),
    ("format_query", queries.formatted, _BOTH),
    ("parse_query", queries.parsed, _BOTH),
    ("query_exemplars", exemplars.exemplars, _BOTH),
    ("series", series.series, _BOTH),
    ("labels", series.label_names, _BOTH),
    ("label/{name}/values", series.label_values, _GET),
    ("metadata", status.metadata, _GET),
    ("status/buildinfo", status.build, _GET),
    ("status/flags", status.flags, _GET),
    ("status/tsdb", status.cardinality, _GET),
)


def prometheus_routes(store: Store, *, retention_s: float | None = None) -> list[Route]:
    """Everything under ``/api/v1`` but rules and alerts."""
    return [Route(f"/api/v1/{path}", _Endpoint(store, retention_s, answer).answer, methods=methods) for path, answer, methods in _ANSWERS]


class _Endpoint:
    def __init__(self, store: Store, retention_s: float | None, answer: Answer) -> None:
        self._store = store
        self._retention_s = retention_s
        self._answer = answer

    async def answer(self, request: Request) -> Response:
        given = await parameters_of(request)
        given |= {name: [str(value)] for name, value in request.path_params.items()}
        return await run_in_threadpool(self._run, given)

    def _run(self, given: Given) -> Response:
        try:
            connection = open_reader(self._store.file)
            try:
                return JSONResponse(self._answer(given, Asked(self._store.samples, connection, self._retention_s)))
            finally:
                connection.close()
        except QueryError as error:
            return failed(error)
        except sqlite3.Error as error:
            raise StackError(explain(error, Path(self._store.file))) from error
