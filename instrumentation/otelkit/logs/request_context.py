"""What a log line says of the request in which it was written."""

from __future__ import annotations

from otelkit.catalog import logs as keys
from otelkit.catalog.labels import HTTP_ROUTE
from otelkit.request.routes import route_of
from otelkit.request.state import CURRENT


def current_request_context() -> dict[str, str]:
    """``request.id``, and ``http.route`` once a pattern has matched; empty outside of a request."""
    state = CURRENT.get()
    if state is None or state.ended:  # what is written at its end is the access line, which says both itself
        return {}
    found = {keys.REQUEST_ID: state.request_id}
    route = route_of(state.request)
    if route:
        found[HTTP_ROUTE.name] = route
    return found
