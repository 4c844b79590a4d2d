"""Where the demo's faults reach every request to the catalogue: a version that should not be there, and lines that nobody reads."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from otelkit_demo.chassis import flags
from otelkit_demo.chassis.probes import is_probe
from otelkit_demo.faults import BAD_VERSION

log = structlog.get_logger(__name__)

STORM_LINES = 200


class BadVersionError(RuntimeError):
    """What a version raises that should not have been deployed."""


class Disturbance:
    """A middleware that does what the flag file says, and nothing else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not is_probe(request) and flags.hits("log.storm"):
            for number in range(STORM_LINES):
                log.info("cache entry looked at", number=number)
        return self._get_response(request)

    def process_view(self, request: HttpRequest, *_: object) -> None:
        """Raises BadVersionError as a view would: only in processes of that version."""
        version = getattr(settings, "VERSION", "")
        if version == BAD_VERSION and not is_probe(request) and flags.hits("deploy.bad_version"):
            raise BadVersionError(f"version {version} asks for a column that is not there")
