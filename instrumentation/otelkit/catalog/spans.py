"""Every span that the kit makes: its kind, its name, and all attributes that it may carry.

To add an attribute, declare it among the labels (``labels/spans.py``, where no metric has it) and list it here. Errors: 5xx and unhandled
exceptions only; Http404, PermissionDenied and validation errors never set ERROR.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from otelkit.catalog import labels as l
from otelkit.catalog.labels import Label


class SpanKind(Enum):
    """Side of a call that a span is (OpenTelemetry)."""

    SERVER = "server"
    CLIENT = "client"
    PRODUCER = "producer"
    CONSUMER = "consumer"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class SpanFact:
    """One kind of span. ``name`` is how it is called, by an example."""

    key: str
    kind: SpanKind
    name: str
    help: str
    attributes: tuple[Label, ...]


REQUEST = SpanFact(
    "request",
    SpanKind.SERVER,
    "GET /orders/{pk}",
    "A request, until its body is out, a streamed one included.",
    (
        l.HTTP_REQUEST_METHOD,
        l.HTTP_REQUEST_METHOD_ORIGINAL,
        l.HTTP_ROUTE,
        l.HTTP_RESPONSE_STATUS_CODE,
        l.URL_SCHEME,
        l.URL_PATH,
        l.NETWORK_PROTOCOL_VERSION,
        l.SERVER_ADDRESS,
        l.SERVER_PORT,
        l.CLIENT_ADDRESS,
        l.USER_AGENT_ORIGINAL,
        l.USER_ID,
        l.CODE_FUNCTION_NAME,
        l.API_VERSION,
        l.ERROR_TYPE,
        l.DB_QUERY_COUNT,
        l.DB_QUERY_DUPLICATES,
        l.DB_DURATION,
        l.DB_QUERY_REPEATED_TEXT,
        l.DB_QUERY_REPEATED_COUNT,
        l.DB_QUERY_REPEATED_CALLER,
        l.CACHE_HITS,
        l.CACHE_MISSES,
        l.VALIDATION_ERROR_COUNT,
        l.REQUEST_QUEUE_MS,
        l.REQUEST_PHASE_MIDDLEWARE_MS,
        l.REQUEST_PHASE_VIEW_MS,
        l.REQUEST_PHASE_DB_MS,
        l.REQUEST_PHASE_TEMPLATE_MS,
        l.REQUEST_PHASE_SERIALIZATION_MS,
        l.REQUEST_PHASE_CACHE_MS,
        l.REQUEST_PHASE_OUTBOUND_MS,
    ),
)
QUERY = SpanFact(
    "query",
    SpanKind.CLIENT,
    "SELECT orders_order",
    "A database query, or a command of Redis, inside of a trace; transaction control only where it was slow or failed.",
    (
        l.DB_SYSTEM_NAME,
        l.DB_NAMESPACE,
        l.DB_OPERATION_NAME,
        l.DB_COLLECTION_NAME,
        l.DB_QUERY_SUMMARY,
        l.DB_QUERY_TEXT,
        l.DB_OPERATION_BATCH_SIZE,
        l.SERVER_ADDRESS,
        l.SERVER_PORT,
        l.DJANGO_DB_ALIAS,
        l.CODE_FUNCTION_NAME,
        l.CODE_FILE_PATH,
        l.CODE_LINE_NUMBER,
        l.ERROR_TYPE,
        l.DB_RESPONSE_STATUS_CODE,
    ),
)
OUTBOUND = SpanFact(
    "outbound",
    SpanKind.CLIENT,
    "GET",
    "An outbound HTTP call, until its status line has arrived.",
    (
        l.HTTP_REQUEST_METHOD,
        l.URL_FULL,
        l.SERVER_ADDRESS,
        l.SERVER_PORT,
        l.SERVICE_PEER_NAME,
        l.HTTP_REQUEST_RESEND_COUNT,
        l.HTTP_RESPONSE_STATUS_CODE,
        l.ERROR_TYPE,
    ),
)

_EVENT = (
    l.MESSAGING_SYSTEM,
    l.MESSAGING_DESTINATION_NAME,
    l.MESSAGING_OPERATION_NAME,
    l.MESSAGING_OPERATION_TYPE,
    l.MESSAGING_MESSAGE_ID,
    l.CLOUDEVENTS_EVENT_TYPE,
    l.CLOUDEVENTS_EVENT_SOURCE,
    l.ERROR_TYPE,
)
EVENT_SEND = SpanFact(
    "event-send",
    SpanKind.PRODUCER,
    "send orders",
    "An event of the outbox given to the broker: a child of the span that stored it, or linked to it where that was long ago.",
    _EVENT,
)
EVENT_PROCESS = SpanFact(
    "event-process",
    SpanKind.CONSUMER,
    "process orders",
    "One attempt of a consumer at an event: a child of the span that sent it, or linked to it where that was long ago.",
    (*_EVENT, l.MESSAGING_CONSUMER_GROUP_NAME),
)
STEP = SpanFact(
    "step",
    SpanKind.INTERNAL,
    "cache get",
    "A step inside of a request (a cache, a template, a serializer), where it was slow or all are asked for: `libraries.slow_step`.",
    (l.CACHE_NAME, l.CACHE_OPERATION, l.TEMPLATE_NAME, l.CODE_FUNCTION_NAME, l.ERROR_TYPE),
)

TASK_PUBLISH = SpanFact(
    "task-publish",
    SpanKind.PRODUCER,
    "send orders.ship",
    "A task given to the broker.",
    (
        l.TASK_NAME,
        l.QUEUE,
        l.MESSAGING_SYSTEM,
        l.MESSAGING_DESTINATION_NAME,
        l.MESSAGING_OPERATION_NAME,
        l.MESSAGING_MESSAGE_ID,
        l.ERROR_TYPE,
    ),
)
TASK_PROCESS = SpanFact(
    "task-process",
    SpanKind.CONSUMER,
    "process orders.ship",
    "One attempt of a task, in the trace that sent it; in one of its own, linked to that, where it was sent long ago: `tasks.link_after`.",
    (
        l.TASK_NAME,
        l.QUEUE,
        l.TASK_WAIT_MS,
        l.TASK_RETRIES,
        l.MESSAGING_SYSTEM,
        l.MESSAGING_DESTINATION_NAME,
        l.MESSAGING_OPERATION_NAME,
        l.MESSAGING_MESSAGE_ID,
        l.ERROR_TYPE,
    ),
)
MESSAGE_SEND = SpanFact(
    "message-send",
    SpanKind.PRODUCER,
    "send invoices",
    "A message given to the broker.",
    (l.MESSAGING_SYSTEM, l.MESSAGING_DESTINATION_NAME, l.MESSAGING_OPERATION_NAME, l.ERROR_TYPE),
)
MESSAGE_PROCESS = SpanFact(
    "message-process",
    SpanKind.CONSUMER,
    "process invoices",
    "What a consumer does with one message, in the trace that sent it or linked to that, as a task.",
    (l.MESSAGING_SYSTEM, l.MESSAGING_DESTINATION_NAME, l.MESSAGING_OPERATION_NAME, l.ERROR_TYPE),
)
WEBSOCKET_EVENT = SpanFact(
    "websocket-event",
    SpanKind.SERVER,
    "receive /ws/orders/{pk}",
    "The handshake of a websocket, in the trace of its caller; a message on it, or its end, in a trace of its own that is linked to the "
    "handshake. INTERNAL for a message of the channel layer, and where another instrumentation has a span around the connection.",
    (
        l.HTTP_ROUTE,
        l.URL_PATH,
        l.NETWORK_PROTOCOL_NAME,
        l.WEBSOCKET_EVENT,
        l.WEBSOCKET_OUTCOME,
        l.WEBSOCKET_CLOSE_CODE,
        l.CODE_FUNCTION_NAME,
        l.USER_AGENT_ORIGINAL,
        l.ERROR_TYPE,
    ),
)
COMMAND_RUN = SpanFact(
    "command",
    SpanKind.INTERNAL,
    "manage.py import_orders",
    "A management command, as the root of its trace; not one that runs until somebody ends it.",
    (l.COMMAND, l.PROCESS_EXIT_CODE, l.ERROR_TYPE),
)

SAGA_STEP_TAKEN = SpanFact(
    "saga-step",
    SpanKind.INTERNAL,
    "place_order pay",
    "One attempt of a saga's step, or (`place_order undo pay`) of its compensation; what it calls and publishes is below it.",
    (l.SAGA, l.SAGA_STEP, l.SAGA_STEP_DIRECTION, l.ERROR_TYPE),
)

SPANS: tuple[SpanFact, ...] = (
    REQUEST,
    QUERY,
    OUTBOUND,
    EVENT_SEND,
    EVENT_PROCESS,
    SAGA_STEP_TAKEN,
    STEP,
    TASK_PUBLISH,
    TASK_PROCESS,
    MESSAGE_SEND,
    MESSAGE_PROCESS,
    WEBSOCKET_EVENT,
    COMMAND_RUN,
)
"""Every span that the kit makes today; those that it will make are in :mod:`otelkit.catalog.ahead.spans`."""
