"""Loki's HTTP API over the log records of the store: as much of it as Grafana's data source and logcli ask for.

Source: the answers of Loki 3.7.8.
"""

from __future__ import annotations

import math
import sqlite3
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from otelkit_stack.api.parameters import BadParameterError, duration_parameter, integer_parameter, parameters_of, time_parameter
from otelkit_stack.database import explain, open_reader
from otelkit_stack.errors import StackError
from otelkit_stack.logql import syntax as s
from otelkit_stack.logql.errors import LogQLError
from otelkit_stack.logql.evaluation import Steps, lines, metric, streams
from otelkit_stack.logql.frames import Labels
from otelkit_stack.logql.line import Line, Origin
from otelkit_stack.logql.parsing import parse
from otelkit_stack.logql.reading import Lines

HOUR_NS = 3_600_000_000_000
_SECOND_NS = 1_000_000_000
_CATEGORIZE = "categorize-labels"
_MOST_LINES = 5000

Answer = Callable[[Request, dict[str, str], Lines], Response]


def loki_routes(file: Path) -> list[Route]:
    """Routes that answer from the database ``file``."""
    paths: dict[str, Answer] = {
        "/loki/api/v1/query": _query,
        "/loki/api/v1/query_range": _query_range,
    }
    return [Route(path, _Endpoint(file, answer).answer, methods=["GET", "POST"]) for path, answer in paths.items()]


class _Endpoint:
    def __init__(self, file: Path, answer: Answer) -> None:
        self._file = file
        self._answer = answer

    async def answer(self, request: Request) -> Response:
        given = {name: values[0] for name, values in (await parameters_of(request)).items() if values}
        return await run_in_threadpool(self._run, request, given)

    def _run(self, request: Request, given: dict[str, str]) -> Response:
        try:
            connection = open_reader(self._file)
            try:
                return self._answer(request, given, Lines(connection))
            finally:
                connection.close()
        except (LogQLError, BadParameterError) as error:
            return PlainTextResponse(str(error), 400)
        except sqlite3.Error as error:
            raise StackError(explain(error, self._file)) from error


def _query(_request: Request, given: dict[str, str], source: Lines) -> Response:
    at = time_parameter(given, "time", time.time_ns())
    query = parse(given.get("query", ""))
    if isinstance(query, s.LogQuery):
        raise LogQLError("log queries are not supported as an instant query type, please change your query to a range query type")
    result = metric(query, source, Steps(at, at, _SECOND_NS))
    if isinstance(result, float):
        return _success("scalar", [at / 1e9, _number(result)])
    vector = [{"metric": dict(labels), "value": [at / 1e9, _number(values[0])]} for labels, values, present in result.rows() if present[0]]
    return _success("vector", vector)


def _query_range(request: Request, given: dict[str, str], source: Lines) -> Response:
    end = time_parameter(given, "end", time.time_ns())
    start = time_parameter(given, "start", end - duration_parameter(given, "since", HOUR_NS))
    if end < start:
        raise BadParameterError("end timestamp must not be before or equal to start time")
    limit = integer_parameter(given, "limit", 100)
    if limit > _MOST_LINES:
        raise BadParameterError(f"max entries limit per query exceeded, limit > max_entries_limit_per_query ({limit} > {_MOST_LINES})")
    query = parse(given.get("query", ""))
    if isinstance(query, s.LogQuery):
        newest_first = given.get("direction", "backward").lower() != "forward"
        found = lines(query, source, start, end, limit=limit, newest_first=newest_first)
        return _streams(found, categorized=_CATEGORIZE in request.headers.get("x-loki-response-encoding-flags", ""))
    step = duration_parameter(given, "step", max((end - start) // 250 // _SECOND_NS, 1) * _SECOND_NS)
    if step <= 0:
        raise BadParameterError("zero or negative query resolution step widths are not accepted. Try a positive integer")
    start, end = start // step * step, -(-end // step) * step  # Loki's own alignment, so that the same step has the same number
    result = metric(query, source, Steps(start, end, step))
    times = Steps(start, end, step).times()
    if isinstance(result, float):
        return _success("matrix", [{"metric": {}, "values": [[_seconds(int(at)), _number(result)] for at in times]}])
    matrix = [
        {
            "metric": dict(labels),
            "values": [[_seconds(int(at)), _number(value)] for at, value in zip(times[present], values[present], strict=True)],
        }
        for labels, values, present in sorted(result.rows(), key=lambda row: row[0])
    ]
    return _success("matrix", matrix)


def _streams(found: list[Line], *, categorized: bool) -> Response:
    result = []
    if categorized:
        by_stream: dict[Labels, list[list[object]]] = {}
        for line in found:
            stream = tuple(sorted(line.of_origin(Origin.STREAM).items()))
            by_stream.setdefault(stream, []).append([str(line.time_ns), line.text, _categories(line)])
        result = [{"stream": dict(stream), "values": values} for stream, values in by_stream.items()]
        return _success("streams", result, encodingFlags=[_CATEGORIZE])
    for labels, of_stream in streams(found):
        result.append({"stream": dict(labels), "values": [[str(line.time_ns), line.text] for line in of_stream]})
    return _success("streams", result)


def _categories(line: Line) -> dict[str, dict[str, str]]:
    parsed = line.of_origin(Origin.PARSED)
    if line.error:
        parsed |= {"__error__": line.error, "__error_details__": line.error_details}
    found = {"structuredMetadata": line.of_origin(Origin.METADATA), "parsed": parsed}
    return {name: labels for name, labels in found.items() if labels}


def _success(kind: str, result: Iterable[Any], **more: object) -> Response:
    return JSONResponse({"status": "success", "data": {"resultType": kind, **more, "result": result, "stats": {}}})


def _seconds(time_ns: int) -> float | int:
    return time_ns // _SECOND_NS if time_ns % _SECOND_NS == 0 else time_ns / 1e9


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    text = repr(float(value))
    return text.removesuffix(".0") if "e" not in text else f"{value:.17g}".removesuffix(".0")
