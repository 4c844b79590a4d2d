"""Where the demo's faults reach every request to orders: memory that is kept, a loop that is too long, no connection to the database."""

from __future__ import annotations

import time
from collections.abc import Callable
from http import HTTPStatus

import structlog
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from otelkit_demo.chassis import flags
from otelkit_demo.chassis.probes import is_probe
from otelkit_demo.chassis.problems import problem
from otelkit_demo.faults import SLOW_SECONDS

log = structlog.get_logger(__name__)

LEAK_BYTES = 1_000_000
POOL_SECONDS = 1.0


class Disturbance:
    """A middleware that does what the flag file says, and nothing else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response
        self._kept: list[bytes] = []

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if is_probe(request):
            return self._get_response(request)
        if flags.hits("orders.leak"):
            self._kept.append(b"x" * LEAK_BYTES)
        if flags.hits("orders.cpu_hog"):
            until = time.thread_time() + SLOW_SECONDS
            while time.thread_time() < until:
                pass
        if flags.hits("db.pool_exhausted"):
            time.sleep(POOL_SECONDS)
            try:
                raise OperationalError(f"couldn't get a connection after {POOL_SECONDS:.2f} sec")
            except OperationalError:
                log.exception("no connection to the database")
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, "All connections to the database are in use.")
        return self._get_response(request)
