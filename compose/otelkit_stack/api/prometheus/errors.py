"""Errors as Prometheus' HTTP API answers them."""

from __future__ import annotations

from http import HTTPStatus

from starlette.responses import JSONResponse, Response

from otelkit_stack.promql.answers import failure
from otelkit_stack.promql.errors import QueryError

_STATUS = {"bad_data": HTTPStatus.BAD_REQUEST, "execution": HTTPStatus.UNPROCESSABLE_ENTITY}
"""Status by the kind of an error; for the others, timeouts and cancellations, 503."""


def failed(error: QueryError) -> Response:
    """The answer to a query that failed."""
    return JSONResponse(failure(error), _STATUS.get(error.kind, HTTPStatus.SERVICE_UNAVAILABLE))


def bad_data(reason: str) -> Response:
    """400, for parameters that cannot be read."""
    return JSONResponse({"status": "error", "errorType": "bad_data", "error": reason}, HTTPStatus.BAD_REQUEST)
