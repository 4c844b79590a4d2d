"""What a subject is made to do again and again: answer a request, write a log line, encode a batch of spans."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.handlers.wsgi import WSGIHandler

from tests.benchmarks.beyond import cache_gets, enter_span, outbound_calls, tasks
from tests.benchmarks.project import make_tables, request_once

Step = Callable[[int], None]
"""Does the work once. Its number makes it a little different each time, as work is."""
Supply = Callable[[range], Step]
"""Makes what the steps of these numbers work on, which is not counted."""

BATCH = 256
"""Spans that are encoded at a time."""
_RESOURCE = {"service.name": "shop", "service.version": "1.0", "host.name": "a", "process.pid": 17}


@dataclass(frozen=True, slots=True)
class Work:
    """One kind of work."""

    key: str
    prepare: Callable[[], Supply]
    """Runs once, when the subject is observed."""
    counts: tuple[int, int]
    """Steps before the instructions are counted, and of the counting."""
    turn: int
    """Steps of one turn of processor time."""
    per_step: int = 1
    """Things that one step does; costs are per thing."""
    sends: bool = False
    """Whether the kit exports what comes of it."""


def _requests(prefix: str, *, has_tables: bool = False) -> Callable[[], Supply]:
    def prepare() -> Supply:
        if has_tables:
            make_tables()
        application = WSGIHandler()
        return lambda _: lambda number: request_once(application, f"/{prefix}/{number % 1000 + 1}")

    return prepare


def log_lines() -> Supply:
    """One structlog event with five keys, in a span."""
    import structlog

    enter_span()
    logger = structlog.get_logger("shop.orders")
    return lambda _: lambda number: logger.info("Order placed", **_keys(number))


def standard_log_lines() -> Supply:
    """The same by the standard library."""
    enter_span()
    logger = logging.getLogger("shop.orders")
    return lambda _: lambda number: logger.info("Order placed", extra=_keys(number))


def _keys(number: int) -> dict[str, object]:
    return {"order_id": number, "customer": f"c-{number}", "total": 12.5, "currency": "EUR", "channel": "web"}


def encode_ours() -> Supply:
    """By the kit's encoder."""
    from otelkit.export.spans import encode_spans

    return lambda numbers: _encoding(lambda batch: encode_spans(_RESOURCE, batch), numbers)


def encode_theirs() -> Supply:
    """By the SDK's."""
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

    return lambda numbers: _encoding(lambda batch: encode_spans(batch).SerializeToString(), numbers)


def _encoding(encode: Callable[[Sequence[Any]], bytes], numbers: range) -> Step:
    batches = {number: spans(number) for number in numbers}  # new ones each time: an encoder may remember what it has met
    return lambda number: None if encode(batches.pop(number)) else _fail("The encoder gave nothing.")


def _fail(message: str) -> None:
    raise RuntimeError(message)


def spans(seed: int) -> list[Any]:
    """A batch of spans as the SDK's tracer makes them: requests with ten attributes, four of them different in each span."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
    from opentelemetry.trace import SpanKind, Status, StatusCode

    taken: list[ReadableSpan] = []

    class Collector(SpanProcessor):
        def on_end(self, span: ReadableSpan) -> None:
            taken.append(span)

    provider = TracerProvider(resource=Resource(_RESOURCE), shutdown_on_exit=False)
    provider.add_span_processor(Collector())
    tracer = provider.get_tracer("otelkit", "1.0")
    for number in range(seed * BATCH, (seed + 1) * BATCH):
        status = 500 if number % 50 == 0 else 200
        attributes = {
            "http.request.method": "GET",
            "http.route": "/items/{pk}",
            "url.scheme": "http",
            "server.address": "shop.example.org",
            "server.port": 8000,
            "network.protocol.version": "1.1",
            "url.path": f"/items/{number}",
            "http.response.status_code": status,
            "client.port": 30_000 + number,
            "db.duration": number / 7,
        }
        with tracer.start_as_current_span("GET /items/{pk}", kind=SpanKind.SERVER, attributes=attributes) as span:
            if status == 500:
                span.set_status(Status(StatusCode.ERROR, "it broke"))
    return taken


REQUEST = Work("request", _requests("items"), (50, 100), 500, sends=True)
TEN_QUERIES = Work("ten-queries", _requests("pages", has_tables=True), (10, 25), 50, sends=True)
N_PLUS_ONE = Work("n-plus-one", _requests("lists", has_tables=True), (10, 25), 50, sends=True)
LINE = Work("line", log_lines, (100, 400), 2000)
STANDARD_LINE = Work("standard-line", standard_log_lines, (100, 400), 2000)
CALL = Work("call", outbound_calls, (50, 200), 500, sends=True)
CACHE_GET = Work("cache-get", cache_gets, (100, 400), 2000, sends=True)
TASK = Work("task", tasks, (30, 100), 200, sends=True)
OUR_ENCODER = Work("encode", encode_ours, (4, 8), 8, BATCH)
THEIR_ENCODER = Work("encode-sdk", encode_theirs, (4, 8), 8, BATCH)
