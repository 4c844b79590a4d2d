"""Tempo's endpoints, our own that returns a trace with all that belongs to it, ``/-/ready``, and ``/-/flush`` for tests."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from otelkit_stack.api.tempo_routes import tempo_routes
from otelkit_stack.errors import StackError
from otelkit_stack.queries import Queries
from otelkit_stack.store import Store


def api_routes(store: Store, queries: Queries) -> list[Route]:
    """Those of Tempo, ``/api/otelkit/v1/traces/{id}``, ``/-/ready``, ``/-/healthy`` and ``/-/flush``.

    Loki and Tempo say that they are ready at ``/ready``, in the same word.
    """

    def trace_with_all(request: Request) -> Response:
        trace_id = request.path_params["trace_id"]
        trace = queries.trace(trace_id)
        if trace is None:
            return JSONResponse({"error": f"Trace {trace_id!r} is not known here. It may not have arrived yet, or be too old."}, 404)
        return JSONResponse(_without_gaps(asdict(trace)))

    async def ready(_request: Request) -> Response:
        failure = store.failure
        return PlainTextResponse(failure, 503) if failure else PlainTextResponse("ready\n")

    async def healthy(_request: Request) -> Response:
        return PlainTextResponse("Prometheus Server is Healthy.\n")

    async def flush(_request: Request) -> Response:
        try:
            await run_in_threadpool(store.flush)
        except StackError as error:
            return PlainTextResponse(str(error), 503)
        return Response(status_code=204)

    return [
        *tempo_routes(store.file, queries),
        Route("/api/otelkit/v1/traces/{trace_id}", trace_with_all),
        Route("/-/ready", ready),
        Route("/ready", ready),
        Route("/-/healthy", healthy),
        Route("/-/flush", flush, methods=["POST"]),
    ]


def _without_gaps(value: Any) -> Any:
    """The value with the floats that JSON lacks as texts, spelled as Prometheus spells them."""
    match value:
        case float() if not math.isfinite(value):
            return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
        case dict():
            return {key: _without_gaps(item) for key, item in value.items()}
        case list() | tuple():
            return [_without_gaps(item) for item in value]
        case _:
            return value
