"""The one line that each request writes, with everything that a table of requests needs as keys of its own."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from opentelemetry.context import Context, attach, detach, get_current

from otelkit.catalog import labels
from otelkit.catalog import logs as keys
from otelkit.logs.access_text import access_message
from otelkit.logs.untouched import only_printer
from otelkit.request.state import CURRENT
from otelkit.traces.contexts import parent_in

_logger = logging.getLogger(keys.ACCESS_LOGGER)

_FAMILIES = (
    # The first that is found wins: everything claims to be Mozilla, Edge claims to be Chrome, Chrome claims to be Safari.
    ("kube-probe", "Kubernetes probe"),
    ("prometheus", "Prometheus"),
    ("grafana", "Grafana"),
    ("googlebot", "Googlebot"),
    ("bingbot", "Bingbot"),
    ("bot", "Bot"),
    ("crawler", "Bot"),
    ("spider", "Bot"),
    ("curl/", "curl"),
    ("wget/", "Wget"),
    ("python-requests", "python-requests"),
    ("python-httpx", "python-httpx"),
    ("python-urllib", "python-urllib"),
    ("aiohttp", "aiohttp"),
    ("go-http-client", "Go"),
    ("okhttp", "OkHttp"),
    ("java/", "Java"),
    ("node", "Node.js"),
    ("postman", "Postman"),
    ("k6/", "k6"),
    ("headlesschrome", "Headless Chrome"),
    ("edg", "Edge"),
    ("opr/", "Opera"),
    ("samsungbrowser", "Samsung Internet"),
    ("firefox/", "Firefox"),
    ("fxios", "Firefox"),
    ("chrome/", "Chrome"),
    ("crios", "Chrome"),
    ("safari/", "Safari"),
)
_LONGEST_USER_AGENT = 512


def write_access_line(
    *,
    method: str,
    route: str,
    path: str,
    status: int | None,
    duration_s: float,
    response_bytes: int | None,
    db_queries: int,
    db_duration_s: float,
    db_duplicates: int,
    user_agent: str | None,
    request_id: str | None = None,
    db_repeated: Mapping[str, str | int] | None = None,
    context: Context | None = None,
    cache_hits: int = 0,
    cache_misses: int = 0,
) -> None:
    """Write the access line of one request: ``GET /orders/{pk} 200``.

    At ERROR where the status is 5xx, so that whoever looks for errors sees each failed request, also one that the service
    answered itself and without an exception; at INFO otherwise: what a 4xx complains of is the client's.
    ``status`` is None where no answer was sent, because the client left. Durations are in seconds; a query behind ``path``
    is dropped; of ``user_agent`` only the family is written. ``db_repeated`` holds the keys of an N+1, where there was one.
    Without hits and misses the caches are left out. The line belongs to the span of ``context``, by default the current one.
    """
    level = logging.ERROR if status is not None and status >= 500 else logging.INFO
    if not _logger.isEnabledFor(level):
        return
    own: dict[str, Any] = {
        keys.URL_PATH: path.partition("?")[0],
        keys.DURATION_MS: _milliseconds(duration_s),
        keys.DB_QUERY_COUNT: db_queries,
        keys.DB_DURATION_MS: _milliseconds(db_duration_s),
        keys.DB_QUERY_DUPLICATES: db_duplicates,
    }
    if response_bytes is not None:
        own[keys.HTTP_RESPONSE_BODY_SIZE] = response_bytes
    if request_id is not None:
        own[keys.REQUEST_ID] = request_id
    if family := user_agent_family(user_agent):
        own[keys.USER_AGENT_NAME] = family
    if db_repeated:
        own |= db_repeated
    if cache_hits or cache_misses:
        own[keys.CACHE_HITS] = cache_hits
        own[keys.CACHE_MISSES] = cache_misses
    found = get_current() if context is None else context
    if _was_printed(level, (method, route, status), own, found):
        return
    shared: dict[str, object] = {
        keys.EVENT_NAME: keys.ACCESS_EVENT,
        labels.HTTP_REQUEST_METHOD.name: method,
        labels.HTTP_ROUTE.name: route,
    }
    if status is not None:
        shared[labels.HTTP_RESPONSE_STATUS_CODE.name] = status
    token = attach(found)
    try:
        # Past Logger.log(): that walks the stack to find who called, and here that is always this line.
        message = access_message(method, route, status)
        record = _logger.makeRecord(_logger.name, level, __file__, 0, message, (), None, "write_access_line", shared | own)
        _logger.handle(record)
    finally:
        detach(token)


def _was_printed(level: int, shared: tuple[str, str, int | None], own: dict[str, Any], context: Context) -> bool:
    """Prints the line without a record, where nobody could tell the difference."""
    state = CURRENT.get()
    if state is not None and not state.ended:  # within another request, whose id and route a record would begin with
        return False
    printer = only_printer(_logger, level)
    if printer is None:
        return False
    handler, formatter = printer
    try:
        text = formatter.access.text(time.time(), level, shared, own.copy(), parent_in(context))
    except Exception:  # noqa: BLE001 - the long road copes with everything
        return False
    if text is None:
        return False
    handler.print_line(text)
    return True


def _milliseconds(seconds: float) -> float:
    return int(seconds * 1_000_000 + 0.5) / 1000  # round() costs four times as much


def user_agent_family(user_agent: str | None) -> str | None:
    """A name like ``Firefox``, ``curl`` or ``Other``; None where the client sent none. Few values, and no person among them."""
    return _family(user_agent[:_LONGEST_USER_AGENT]) if user_agent else None


@lru_cache(maxsize=512)
def _family(user_agent: str) -> str:
    text = user_agent.lower()
    return next((family for sign, family in _FAMILIES if sign in text), "Other")
