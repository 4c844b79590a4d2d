"""Answers in the shape of Prometheus' HTTP API."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from otelkit_stack.go_text import answered
from otelkit_stack.promql.errors import BadQueryError, QueryError
from otelkit_stack.promql.results import Answer, MatrixAnswer, Result, ScalarAnswer, StringAnswer, VectorAnswer

_MOST_ANNOTATIONS = 10


def success(result: Result) -> dict[str, Any]:
    """The body of an answer to ``/api/v1/query`` or ``/api/v1/query_range``, as ``json.dumps`` takes it."""
    body: dict[str, Any] = {"status": "success", "data": data(result.answer)}
    if result.warnings:
        body["warnings"] = _limited(result.warnings, "warning")
    if result.infos:
        body["infos"] = _limited(result.infos, "info")
    return body


def failure(error: QueryError) -> dict[str, Any]:
    """The body of an answer to a query that has none."""
    prefix = 'invalid parameter "query": ' if isinstance(error, BadQueryError) else ""
    return {"status": "error", "errorType": error.kind, "error": f"{prefix}{error}"}


def data(answer: Answer) -> dict[str, Any]:
    """``resultType`` and ``result``: times in seconds, values as text."""
    match answer:
        case VectorAnswer(time_ms, samples):
            time = _seconds(time_ms)
            vector = [{"metric": dict(labels), "value": [time, answered(value)]} for labels, value in samples]
            return {"resultType": "vector", "result": vector}
        case MatrixAnswer(series):
            matrix = [{"metric": dict(labels), "values": _points(times.tolist(), values.tolist())} for labels, times, values in series]
            return {"resultType": "matrix", "result": matrix}
        case ScalarAnswer(time_ms, value):
            return {"resultType": "scalar", "result": [_seconds(time_ms), answered(value)]}
        case StringAnswer(time_ms, text):
            return {"resultType": "string", "result": [_seconds(time_ms), text]}


def _points(times: Iterable[int], values: Iterable[float]) -> list[list[float | str]]:
    return [[_seconds(time), answered(value)] for time, value in zip(times, values, strict=True)]


def _seconds(time_ms: int) -> float:
    return time_ms // 1000 if time_ms % 1000 == 0 else time_ms / 1000


def _limited(texts: tuple[str, ...], kind: str) -> list[str]:
    left_out = len(texts) - _MOST_ANNOTATIONS
    return [*texts[:_MOST_ANNOTATIONS], *([f"{left_out} more {kind} annotations omitted"] if left_out > 0 else [])]
