"""The kit, on for real: every signal goes to a receiver, and its middleware is in every handler, whatever MIDDLEWARE a test sets."""

from __future__ import annotations

import logging
import os
from types import FunctionType
from typing import Any

from django.conf import settings
from django.core.handlers import base

from otelkit import startup
from otelkit.catalog.logs import ACCESS_LOGGER
from otelkit.config import load
from otelkit_suite import outcomes

ENDPOINT = "OTELKIT_SUITE_ENDPOINT"
"""Where telemetry goes; the kit stays off where the variable is not set."""
SABOTAGE = "OTELKIT_SUITE_SABOTAGE"
"""Set, it makes a difference that a run must find."""
_SABOTEUR = "otelkit_suite.sabotage.Saboteur"
_OUTERMOST = "otelkit.middleware.ObservabilityMiddleware"
_INNERMOST = "otelkit.request.phases.ViewMiddleware"


def switch_on() -> None:
    """Starts the kit where the run is told to. Call it when Django is set up, and before workers are forked."""
    endpoint = os.environ.get(ENDPOINT)
    if endpoint is None:
        return
    logging.getLogger("otelkit").addHandler(_Complaints(logging.WARNING))
    startup.start(load(_otelkit(endpoint), os.environ))
    _lead_every_handler()


def _otelkit(endpoint: str) -> dict[str, Any]:
    """Everything that is recorded on request too, and no path excluded but one that no suite has."""
    return {
        "preset": "production",
        "service": {"name": "suite"},
        # The lines of runserver that the kit drops by default are what some of these tests ask for.
        "logs": {"exporters": ["console", "otlp"], "server_access": True},
        "requests": {"excluded_paths": ["/livez"], "body_sizes": True, "client_address": "hashed"},
        # A suite is far busier than a service; what is lost would be missed where spans are counted.
        "export": {"endpoint": endpoint, "queue_size": 100_000},
    }


class _Complaints(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        # A failed request's line is an error and none of the kit's; nor is a database that a test has taken away and the kit asked.
        if record.name != ACCESS_LOGGER and record.module != "migrations":
            outcomes.complain(logging.Formatter().format(record))


class _Led:
    """Django's settings, as ``load_middleware()`` shall see them."""

    def __getattr__(self, name: str) -> Any:
        return getattr(settings, name)

    @property
    def MIDDLEWARE(self) -> list[str]:  # noqa: N802  (the setting's name)
        chosen = list(settings.MIDDLEWARE)
        if startup.current() is not None and _OUTERMOST not in chosen:
            chosen = [_OUTERMOST, *chosen, _INNERMOST]
        return [_SABOTEUR, *chosen] if os.environ.get(SABOTAGE) else chosen


def _lead_every_handler() -> None:
    """Tests exchange MIDDLEWARE all the time, so the kit's place is kept where the list is read."""
    original = base.BaseHandler.load_middleware
    # The same code, with other settings: those of the tests stay as the tests set them.
    names = {**vars(base), "settings": _Led()}
    led = FunctionType(original.__code__, names, original.__name__, original.__defaults__, original.__closure__)
    base.BaseHandler.load_middleware = led  # type: ignore[method-assign]
