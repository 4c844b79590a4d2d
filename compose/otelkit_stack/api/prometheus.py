"""Prometheus' HTTP API over the samples of the store: queries, and what there is to ask for.

Source: the answers of Prometheus 3.14.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from otelkit_stack.api.parameters import BadParameterError, duration_parameter, parameters_of, time_parameter
from otelkit_stack.api.prometheus_errors import bad_data, failed
from otelkit_stack.api.series_selectors import matchers_of
from otelkit_stack.database import explain, open_reader
from otelkit_stack.errors import StackError
from otelkit_stack.metrics.samples import Samples
from otelkit_stack.metrics.storage import SampleStorage
from otelkit_stack.promql.answers import success
from otelkit_stack.promql.engine import Engine
from otelkit_stack.promql.errors import BadParameterError as BadPromQLParameterError
from otelkit_stack.promql.errors import QueryError
from otelkit_stack.store import Store

_MS = 1_000_000
Answer = Callable[[dict[str, list[str]], "_Asked"], object]


class _Asked:
    """What an answer is made of."""

    def __init__(self, samples: Samples, connection: sqlite3.Connection) -> None:
        self.samples = samples
        self.engine = Engine(SampleStorage(samples, connection))


def prometheus_routes(store: Store) -> list[Route]:
    """``/api/v1/query``, ``query_range``, ``series``, ``labels``, ``label/{name}/values`` and ``status/buildinfo``."""
    answers: dict[str, Answer] = {
        "/api/v1/query": _query,
        "/api/v1/query_range": _query_range,
        "/api/v1/series": _series,
        "/api/v1/labels": _labels,
        "/api/v1/label/{name}/values": _label_values,
    }
    routes = [Route(path, _Endpoint(store, answer).answer, methods=["GET", "POST"]) for path, answer in answers.items()]
    return [*routes, Route("/api/v1/status/buildinfo", _build)]


class _Endpoint:
    def __init__(self, store: Store, answer: Answer) -> None:
        self._store = store
        self._answer = answer

    async def answer(self, request: Request) -> Response:
        given = await parameters_of(request)
        given |= {name: [str(value)] for name, value in request.path_params.items()}
        return await run_in_threadpool(self._run, given)

    def _run(self, given: dict[str, list[str]]) -> Response:
        try:
            connection = open_reader(self._store.file)
            try:
                return JSONResponse(self._answer(given, _Asked(self._store.samples, connection)))
            finally:
                connection.close()
        except QueryError as error:
            return failed(error)
        except BadParameterError as error:
            return bad_data(str(error))
        except sqlite3.Error as error:
            raise StackError(explain(error, self._store.file)) from error


def _one(given: dict[str, list[str]]) -> dict[str, str]:
    return {name: values[0] for name, values in given.items() if values}


def _query(given: dict[str, list[str]], asked: _Asked) -> object:
    one = _one(given)
    return success(asked.engine.instant(one.get("query", ""), time_parameter(one, "time", time.time_ns()) // _MS))


def _query_range(given: dict[str, list[str]], asked: _Asked) -> object:
    one = _one(given)
    for name in ("start", "end", "step"):
        if not one.get(name):
            raise BadPromQLParameterError(
                f'invalid parameter "{name}": cannot parse "" to a valid {"duration" if name == "step" else "timestamp"}'
            )
    start, end = time_parameter(one, "start", 0) // _MS, time_parameter(one, "end", 0) // _MS
    return success(asked.engine.range(one.get("query", ""), start, end, duration_parameter(one, "step", 0) // _MS))


def _series(given: dict[str, list[str]], asked: _Asked) -> object:
    selectors = given.get("match[]", [])
    if not selectors:
        raise BadPromQLParameterError("no match[] parameter provided")
    return {"status": "success", "data": [dict(asked.samples.index.labels(key)) for key in sorted(_selected(selectors, asked))]}


def _labels(given: dict[str, list[str]], asked: _Asked) -> object:
    selectors = given.get("match[]", [])
    return {"status": "success", "data": asked.samples.index.names(_selected(selectors, asked) if selectors else None)}


def _label_values(given: dict[str, list[str]], asked: _Asked) -> object:
    selectors = given.get("match[]", [])
    name = given["name"][0]
    return {"status": "success", "data": asked.samples.index.values(name, _selected(selectors, asked) if selectors else None)}


def _selected(selectors: Iterable[str], asked: _Asked) -> set[int]:
    found: set[int] = set()
    for selector in selectors:
        found |= asked.samples.index.select(matchers_of(selector))
    return found


def _build(_request: Request) -> Response:
    from importlib.metadata import version

    # Grafana reads the version to know what it may ask: our answers are those of this one.
    return JSONResponse({"status": "success", "data": {"version": "3.14.0", "revision": f"otelkit {version('otelkit')}", "goVersion": ""}})
