"""What a log line says of the request and of the task in which it was written."""

from __future__ import annotations

from otelkit.catalog import logs as keys
from otelkit.catalog.labels import HTTP_ROUTE
from otelkit.request.routes import route_of
from otelkit.request.state import CURRENT
from otelkit.tasks.state import CURRENT_TASK
from otelkit.websockets.state import CURRENT_CONNECTION


def current_request_context() -> dict[str, str]:
    """``request.id``, and ``http.route`` once a pattern has matched, of a request or a websocket; ``task.name`` and ``task.id``."""
    task = CURRENT_TASK.get()
    found = {} if task is None else {keys.TASK_NAME: task.name, keys.TASK_ID: task.id}
    state = CURRENT.get()
    if state is None or state.ended:  # what is written at its end is the access line, which says both itself
        connection = CURRENT_CONNECTION.get()
        return found if connection is None else found | connection.log_keys
    found[keys.REQUEST_ID] = state.request_id
    route = route_of(state.request)
    if route:
        found[HTTP_ROUTE.name] = route
    return found
