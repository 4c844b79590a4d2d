"""The paths of Loki's API, each with what answers it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from otelkit_stack.api.loki import detected, labels, queries, volume
from otelkit_stack.api.loki.answers import LokiResponse
from otelkit_stack.api.loki.asked import Asked
from otelkit_stack.api.loki.tail import tail_endpoint
from otelkit_stack.api.parameters import BadParameterError, parameters_of
from otelkit_stack.database import explain, open_reader
from otelkit_stack.errors import StackError
from otelkit_stack.logql.errors import LogQLError

Answer = Callable[[Asked], Response]

_ANSWERS: dict[str, Answer] = {
    "query": queries.instant,
    "query_range": queries.over_time,
    "labels": labels.label_names,
    "label": labels.label_names,
    "label/{name}/values": labels.label_values,
    "series": labels.series,
    "detected_labels": labels.detected_labels,
    "detected_fields": detected.detected_fields,
    "detected_field/{name}/values": detected.detected_values,
    "index/stats": volume.stats,
    "index/volume": volume.volume,
    "index/volume_range": volume.volume_over_time,
}


def loki_routes(file: Path) -> list[BaseRoute]:
    """Everything under ``/loki/api/v1`` but rules, from the database ``file``."""

    async def patterns(_request: Request) -> Response:
        # What Loki says where its pattern ingester is off.
        return LokiResponse({"status": "success", "data": []})

    async def build(_request: Request) -> Response:
        empty = dict.fromkeys(("revision", "branch", "buildUser", "buildDate", "goVersion"), "")
        return JSONResponse({"version": "3.7.8", **empty})  # whose answers ours are

    both = ["GET", "POST"]
    return [
        *(Route(f"/loki/api/v1/{path}", _Endpoint(file, answer).answer, methods=both) for path, answer in _ANSWERS.items()),
        Route("/loki/api/v1/patterns", patterns, methods=both),
        Route("/loki/api/v1/status/buildinfo", build),
        WebSocketRoute("/loki/api/v1/tail", tail_endpoint(file)),
    ]


class _Endpoint:
    def __init__(self, file: Path, answer: Answer) -> None:
        self._file = file
        self._answer = answer

    async def answer(self, request: Request) -> Response:
        given = await parameters_of(request)
        first = {name: values[0] for name, values in given.items() if values} | {
            name: str(value) for name, value in request.path_params.items()
        }
        selectors = [*given.get("match[]", ()), *given.get("match", ())]
        flags = request.headers.get("x-loki-response-encoding-flags", "")
        return await run_in_threadpool(self._run, first, selectors, flags)

    def _run(self, given: dict[str, str], selectors: list[str], flags: str) -> Response:
        try:
            connection = open_reader(self._file)
            try:
                return self._answer(Asked(given, selectors, flags, connection))
            finally:
                connection.close()
        except (LogQLError, BadParameterError) as error:
            return PlainTextResponse(str(error), 400)
        except RecursionError:
            return PlainTextResponse("the query is nested too deeply", 400)
        except sqlite3.Error as error:
            raise StackError(explain(error, self._file)) from error
