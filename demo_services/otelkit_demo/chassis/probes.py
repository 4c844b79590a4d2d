"""Probes for an orchestrator: alive is "the process answers", ready is "my own database answers". Never other services'."""

from __future__ import annotations

from http import HTTPStatus

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponseBase, JsonResponse

from otelkit_demo.chassis.problems import problem


def livez(_request: HttpRequest) -> HttpResponseBase:
    """200 while the process can answer at all."""
    return JsonResponse({"status": "alive"})


def readyz(_request: HttpRequest) -> HttpResponseBase:
    """200 when the service's own database answers, 503 otherwise."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        # A service that waits for its callee to be ready would take the callee's outage for its own.
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, f"The database does not answer ({type(error).__name__}).")
    return JsonResponse({"status": "ready"})
