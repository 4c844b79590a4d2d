"""Tempo's HTTP API over the spans of the store: as much of it as Grafana's data source asks for.

Source: the answers of Tempo 3.1.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from google.protobuf.json_format import ParseDict
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from otelkit_stack.api.parameters import BadParameterError, parameters_of
from otelkit_stack.api.tempo import resource_spans
from otelkit_stack.api.tempo_metrics import instant_answer, range_answer
from otelkit_stack.api.tempo_search import search_answer
from otelkit_stack.api.tempo_tags import old_tags_answer, old_values_answer, tags_answer, values_answer
from otelkit_stack.database import explain, open_reader
from otelkit_stack.errors import StackError
from otelkit_stack.queries import Queries
from otelkit_stack.traceql.errors import TooMuchError, TooSlowError, TraceQLError
from otelkit_stack.traceql.reading import Source
from otelkit_stack.varint import varint

_PROTOBUF = "application/protobuf"
_HEX = frozenset("0123456789abcdefABCDEF")

Answer = Callable[[dict[str, str], Source], dict[str, object]]


def tempo_routes(file: Path, queries: Queries) -> list[Route]:
    """Routes that answer from the database ``file``, which ``queries`` reads."""
    answers: dict[str, Answer] = {
        "/api/search": search_answer,
        "/api/search/tags": old_tags_answer,
        "/api/v2/search/tags": tags_answer,
        "/api/search/tag/{tag:path}/values": old_values_answer,
        "/api/v2/search/tag/{tag:path}/values": values_answer,
        "/api/metrics/query_range": range_answer,
        "/api/metrics/query": instant_answer,
    }
    return [
        *(Route(path, _Endpoint(file, answer).answer, methods=["GET", "POST"]) for path, answer in answers.items()),
        Route("/api/traces/{trace_id}", _Traces(queries).version_1),
        Route("/api/v2/traces/{trace_id}", _Traces(queries).version_2),
        Route("/api/echo", lambda _request: PlainTextResponse("echo\n")),
        Route("/api/status/buildinfo", _build),
        Route("/ready", lambda _request: PlainTextResponse("ready\n")),
    ]


class _Endpoint:
    def __init__(self, file: Path, answer: Answer) -> None:
        self._file = file
        self._answer = answer

    async def answer(self, request: Request) -> Response:
        given = {name: values[0] for name, values in (await parameters_of(request)).items() if values}
        given |= {name: str(value) for name, value in request.path_params.items()}
        return await run_in_threadpool(self._run, given)

    def _run(self, given: dict[str, str]) -> Response:
        try:
            connection = open_reader(self._file)
            try:
                return JSONResponse(self._answer(given, Source(connection)))
            finally:
                connection.close()
        except (TooMuchError, BadParameterError) as error:
            return PlainTextResponse(str(error), 400)
        except TraceQLError as error:
            return PlainTextResponse(f"invalid TraceQL query: {error}", 400)
        except RecursionError:
            return PlainTextResponse("invalid TraceQL query: it is nested too deeply", 400)
        except TooSlowError as error:
            return PlainTextResponse(str(error), 504)
        except sqlite3.Error as error:
            raise StackError(explain(error, self._file)) from error


class _Traces:
    """One trace, as JSON or, where the client accepts that, as protobuf."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries

    def version_1(self, request: Request) -> Response:
        """The trace; 404 without a word where there is none."""
        if fault := _fault(request.path_params["trace_id"]):
            return fault
        batches = self._batches(request)
        if not batches:
            return Response(status_code=404)
        if _wants_protobuf(request):
            return Response(_packed(batches), media_type=_PROTOBUF)
        return JSONResponse({"batches": batches})

    def version_2(self, request: Request) -> Response:
        """The trace; an empty one where there is none."""
        if fault := _fault(request.path_params["trace_id"]):
            return fault
        batches = self._batches(request)
        if _wants_protobuf(request):
            packed = _packed(batches)
            # TraceByIDResponse: field 1 is the trace.
            return Response(b"\x0a" + varint(len(packed)) + packed, media_type=_PROTOBUF)
        return JSONResponse({"trace": {"resourceSpans": batches} if batches else {}, "metrics": {}})

    def _batches(self, request: Request) -> list[dict[str, object]]:
        trace = self._queries.trace(request.path_params["trace_id"])
        return resource_spans(trace) if trace is not None else []


def _fault(trace_id: str) -> Response | None:
    for position, character in enumerate(trace_id, 1):
        if character not in _HEX:
            return PlainTextResponse(
                f"trace IDs can only contain hex characters: invalid character '{character}' at position {position}", 400
            )
    return PlainTextResponse("trace IDs can't be larger than 128 bits", 400) if len(trace_id) > 32 else None


def _wants_protobuf(request: Request) -> bool:
    return _PROTOBUF in request.headers.get("accept", "")


def _packed(batches: list[dict[str, object]]) -> bytes:
    return ParseDict({"resourceSpans": batches}, TracesData()).SerializeToString()


def _build(_request: Request) -> Response:
    from importlib.metadata import version

    # Grafana reads the version to know what it may ask: our answers are those of this one.
    return JSONResponse(
        {"version": "3.1.0", "revision": f"otelkit {version('otelkit')}", "branch": "", "buildUser": "", "buildDate": "", "goVersion": ""}
    )
