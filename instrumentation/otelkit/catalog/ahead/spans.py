"""Spans that have a name and nobody who makes them, and attributes that those of today will get."""

from __future__ import annotations

from otelkit.catalog.ahead.messaging import MESSAGING_OPERATION_NAME, MESSAGING_SYSTEM
from otelkit.catalog.ahead.tasks import COMMAND, QUEUE, TASK_NAME
from otelkit.catalog.labels import CODE_FUNCTION_NAME, ERROR_TYPE, MESSAGING_DESTINATION_NAME
from otelkit.catalog.labels.model import Label
from otelkit.catalog.spans import SpanFact, SpanKind

CACHE_HITS = Label("cache.hits", "Values that the request's cache had; also on the access line. Ours.")
CACHE_MISSES = Label("cache.misses", "Values that it did not have; also on the access line. Ours.")
DJANGO_VIEW = Label("django.view", "Name of the URL pattern that matched. Ours.")
URL_TEMPLATE = Label("url.template", "Pattern of the address that was called, where the caller knows it.")
HTTP_REQUEST_RESEND_COUNT = Label("http.request.resend_count", "How often the call was tried before.")
PROCESS_EXIT_CODE = Label("process.exit.code", "What the command ended with.")
TASK_WAIT_MS = Label("task.wait_ms", "Milliseconds between the moment a task was due and its begin. Ours.")
TASK_RETRIES = Label("task.retries", "Attempts before this one. Ours.")

TO_REQUEST = (DJANGO_VIEW, CACHE_HITS, CACHE_MISSES)
"""Attributes that the span of a request will have beside those of today."""
TO_OUTBOUND = (URL_TEMPLATE, HTTP_REQUEST_RESEND_COUNT)
"""Attributes that the span of an outbound call will have beside those of today."""

_MESSAGING = (MESSAGING_SYSTEM, MESSAGING_DESTINATION_NAME, MESSAGING_OPERATION_NAME, ERROR_TYPE)

TASK_PUBLISH = SpanFact(
    "task-publish", SpanKind.PRODUCER, "send orders.ship", "A task given to the broker.", (TASK_NAME, QUEUE, *_MESSAGING)
)
TASK_PROCESS = SpanFact(
    "task-process",
    SpanKind.CONSUMER,
    "process orders.ship",
    "One attempt of a task; linked to the span that sent it where that was long ago or where several were sent at once.",
    (TASK_NAME, QUEUE, TASK_WAIT_MS, TASK_RETRIES, *_MESSAGING),
)
PHASE = SpanFact(
    "phase",
    SpanKind.INTERNAL,
    "render orders/list.html",
    "Cache, template, middleware and DRF phases: in development, or where the request turned out slow.",
    (CODE_FUNCTION_NAME, ERROR_TYPE),
)
COMMAND_RUN = SpanFact(
    "command",
    SpanKind.INTERNAL,
    "manage.py migrate",
    "A management command, as the root of its trace.",
    (COMMAND, PROCESS_EXIT_CODE, ERROR_TYPE),
)

SPANS_AHEAD: tuple[SpanFact, ...] = (TASK_PUBLISH, TASK_PROCESS, PHASE, COMMAND_RUN)
