"""Puts otelkit's middleware into the project's list, and what else must be there for it."""

from __future__ import annotations

from contextlib import ExitStack

from django.conf import settings
from django.core.signals import got_request_exception

from otelkit.config import Requests
from otelkit.middleware import remember_exception
from otelkit.notes import off, on
from otelkit.request import foreign
from otelkit.request.engine import RequestEngine
from otelkit.request.serving import serve_with

MIDDLEWARE = "otelkit.middleware.ObservabilityMiddleware"
VIEW_MIDDLEWARE = "otelkit.request.phases.ViewMiddleware"


def follow_requests(engine: RequestEngine, config: Requests, undo: ExitStack) -> list[str]:
    """Has every request pass our middleware, and leaves the undoing with ``undo``; gives back what to tell about it."""
    undo.callback(serve_with(engine))
    undo.callback(got_request_exception.disconnect, remember_exception)
    got_request_exception.connect(remember_exception)
    before = list(settings.MIDDLEWARE)
    # Outermost, so that it sees what every other middleware does. Django reads the list when the server makes its handler, after this.
    added = [] if MIDDLEWARE in before else [MIDDLEWARE]
    settings.MIDDLEWARE = [*added, *foreign.without_upstream(before)]
    undo.callback(_take_out, added)
    if config.phases:
        added.append(VIEW_MIDDLEWARE)
        settings.MIDDLEWARE = [*settings.MIDDLEWARE, VIEW_MIDDLEWARE]
    notes: list[str] = [on(f"requests: followed by otelkit's middleware; excluded: {', '.join(config.excluded_paths) or 'none'}")]
    if foreign.UPSTREAM_MIDDLEWARE in before:
        notes.append(off(f"requests: {foreign.SENTENCE}"))
    return notes


def _take_out(added: list[str]) -> None:
    """Restores the list of middleware. What others changed in the meantime stays."""
    settings.MIDDLEWARE = [entry for entry in foreign.with_upstream(settings.MIDDLEWARE) if entry not in added]
