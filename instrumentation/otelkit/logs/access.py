"""The one line that each request writes, with everything that a table of requests needs as keys of its own."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import lru_cache

from otelkit.catalog import labels
from otelkit.catalog import logs as keys

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
    cache_hits: int = 0,
    cache_misses: int = 0,
) -> None:
    """Write the access line of one request: ``GET /orders/{pk} 200``.

    At ERROR where the status is 5xx, so that whoever looks for errors sees each failed request, also one that the service
    answered itself and without an exception; at INFO otherwise: what a 4xx complains of is the client's.
    ``status`` is None where no answer was sent, because the client left. Durations are in seconds; a query behind ``path``
    is dropped; of ``user_agent`` only the family is written. ``db_repeated`` holds the keys of an N+1, where there was one.
    Without hits and misses the caches are left out.
    """
    level = logging.ERROR if status is not None and status >= 500 else logging.INFO
    if not _logger.isEnabledFor(level):
        return
    extra: dict[str, object] = {
        keys.EVENT_NAME: keys.ACCESS_EVENT,
        labels.HTTP_REQUEST_METHOD.name: method,
        labels.HTTP_ROUTE.name: route,
        keys.URL_PATH: path.partition("?")[0],
        keys.DURATION_MS: round(duration_s * 1000, 3),
        keys.DB_QUERY_COUNT: db_queries,
        keys.DB_DURATION_MS: round(db_duration_s * 1000, 3),
        keys.DB_QUERY_DUPLICATES: db_duplicates,
    }
    if status is not None:
        extra[labels.HTTP_RESPONSE_STATUS_CODE.name] = status
    if response_bytes is not None:
        extra[keys.HTTP_RESPONSE_BODY_SIZE] = response_bytes
    if request_id is not None:
        extra[keys.REQUEST_ID] = request_id
    if family := user_agent_family(user_agent):
        extra[keys.USER_AGENT_NAME] = family
    if db_repeated:
        extra |= db_repeated
    if cache_hits or cache_misses:
        extra[keys.CACHE_HITS] = cache_hits
        extra[keys.CACHE_MISSES] = cache_misses
    # Past Logger.log(): that walks the stack to find who called, and here that is always this line.
    message = f"{method} {route} {'-' if status is None else status}"
    record = _logger.makeRecord(_logger.name, level, __file__, 0, message, (), None, "write_access_line", extra)
    _logger.handle(record)


def user_agent_family(user_agent: str | None) -> str | None:
    """A name like ``Firefox``, ``curl`` or ``Other``; None where the client sent none. Few values, and no person among them."""
    return _family(user_agent[:_LONGEST_USER_AGENT]) if user_agent else None


@lru_cache(maxsize=512)
def _family(user_agent: str) -> str:
    text = user_agent.lower()
    return next((family for sign, family in _FAMILIES if sign in text), "Other")
