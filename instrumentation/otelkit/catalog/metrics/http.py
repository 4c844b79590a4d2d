"""Requests that the service answers, and calls that it makes."""

from __future__ import annotations

from otelkit.catalog import labels as l
from otelkit.catalog.metrics.model import BYTES_BUCKETS, SECONDS_BUCKETS, Kind, Metric

HTTP_SERVER_REQUEST_DURATION = Metric(
    "http.server.request.duration",
    Kind.HISTOGRAM,
    "s",
    "Time to answer one request, middleware and streamed body included.",
    (l.HTTP_REQUEST_METHOD, l.HTTP_ROUTE, l.HTTP_RESPONSE_STATUS_CODE, l.URL_SCHEME, l.ERROR_TYPE),
    SECONDS_BUCKETS,
)
HTTP_SERVER_ACTIVE_REQUESTS = Metric(
    "http.server.active_requests",
    Kind.UP_DOWN_COUNTER,
    "{request}",
    "Requests that are being answered now.",
    (l.HTTP_REQUEST_METHOD, l.URL_SCHEME),
)
HTTP_SERVER_REQUEST_BODY_SIZE = Metric(
    "http.server.request.body.size",
    Kind.HISTOGRAM,
    "By",
    "Size of the request's body, where its header tells. Opt-in: `requests.body_sizes`.",
    (l.HTTP_REQUEST_METHOD, l.HTTP_ROUTE, l.URL_SCHEME),
    BYTES_BUCKETS,
)
HTTP_SERVER_RESPONSE_BODY_SIZE = Metric(
    "http.server.response.body.size",
    Kind.HISTOGRAM,
    "By",
    "Size of the response's body, streamed ones included. Opt-in: `requests.body_sizes`.",
    (l.HTTP_REQUEST_METHOD, l.HTTP_ROUTE, l.URL_SCHEME),
    BYTES_BUCKETS,
)
HTTP_SERVER_REQUEST_QUEUE_DURATION = Metric(
    "http.server.request.queue.duration",
    Kind.HISTOGRAM,
    "s",
    "Time between the proxy that took a request and us, where the proxy sends X-Request-Start or X-Queue-Start.",
    (),
    SECONDS_BUCKETS,
)
HTTP_CLIENT_REQUEST_DURATION = Metric(
    "http.client.request.duration",
    Kind.HISTOGRAM,
    "s",
    "Time of one outbound HTTP call.",
    (l.HTTP_REQUEST_METHOD, l.SERVER_ADDRESS, l.SERVER_PORT, l.HTTP_RESPONSE_STATUS_CODE, l.ERROR_TYPE, l.SERVICE_PEER_NAME),
    SECONDS_BUCKETS,
)
ERRORS_CAPTURED = Metric(
    "errors.captured",
    Kind.COUNTER,
    "{error}",
    "Exceptions that a request or a task raised.",
    (l.EXCEPTION_TYPE, l.HTTP_ROUTE, l.HANDLED, l.TASK_NAME),
)
