"""What an outbox and an inbox say of themselves. Any implementation may call these; while the kit is off they do nothing.

One event is one trace: the row keeps the span that stored it, the relay's span is its child, and the consumer's a child of that. Where more
than ``OTELKIT["events"]["link_after"]`` seconds lie between, a trace of its own begins that links to it: nobody reads a trace of two days.

Nothing here raises by itself; what happens inside of the blocks goes through unchanged.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from otelkit import startup
from otelkit.catalog.labels import INBOX_OUTCOME, OUTBOX_OUTCOME
from otelkit.catalog.metrics import INBOX_PROCESSED, OUTBOX_PUBLISH_LAG, OUTBOX_PUBLISHED
from otelkit.patterns.carrying import NOTHING, Carried, carried, current_trace
from otelkit.patterns.events.configuring import chosen
from otelkit.traces.joining import join

__all__ = ["Carried", "Message", "awaiting", "current_trace", "processed", "processing", "published", "sending"]

logger = logging.getLogger("otelkit.patterns")


@dataclass(frozen=True, slots=True)
class Message:
    """One event on its way, as far as telemetry wants to know."""

    id: str
    type: str
    source: str
    destination: str
    system: str = ""
    """The broker's product: rabbitmq, redis, ..."""
    carried: Carried = NOTHING
    age: float = 0.0
    """Seconds since it was stored."""


@contextmanager
def sending(message: Message) -> Iterator[Carried]:
    """Around handing one message to the broker: a PRODUCER span, ``outbox.published`` and ``outbox.publish.lag``.

    Gives what the message shall carry. An exception is counted as ``error``, and goes on.
    """
    span = _begin(message, SpanKind.PRODUCER, "send", {})
    try:
        yield message.carried if span is None else carried(span)
    except BaseException as error:
        _end(span, error)
        published(message.destination, "error")
        raise
    _end(span, None)
    published(message.destination, "ok", message.age, span)


@contextmanager
def processing(message: Message, consumer: str) -> Iterator[Span | None]:
    """Around the work on one message: a CONSUMER span, current inside. None while the kit is off."""
    span = _begin(message, SpanKind.CONSUMER, "process", {"messaging.consumer.group.name": consumer})
    outer = context.attach(_in(span, message))
    try:
        yield span
    except BaseException as error:
        _end(span, error)
        raise
    else:
        _end(span, None)
    finally:
        context.detach(outer)


def published(destination: str, outcome: str, lag: float | None = None, span: Span | None = None) -> None:
    """Counts one message given to the broker: ``ok`` or ``error``. ``lag`` is the time since it was stored, in seconds."""
    runtime = startup.current()
    if runtime is None:
        return
    try:
        counter = runtime.aggregator.counter(OUTBOX_PUBLISHED)
        for known in OUTBOX_OUTCOME.values:  # so that a share of errors never vanishes
            counter.add(1 if known == outcome else 0, (destination, known))
        if lag is not None:
            spot = None if span is None else span.get_span_context()
            runtime.aggregator.histogram(OUTBOX_PUBLISH_LAG).record(max(lag, 0.0), (), spot)
    except Exception:
        logger.exception("otelkit could not count an event that was sent; the event is not affected.")


def awaiting(consumer: str) -> None:
    """Begins the counts of a consumer at zero: a counter that begins at its first dead letter tells no rule of it."""
    runtime = startup.current()
    if runtime is None:
        return
    try:
        for outcome in INBOX_OUTCOME.values:
            runtime.aggregator.counter(INBOX_PROCESSED).add(0, (consumer, outcome))
    except Exception:
        logger.exception("otelkit could not begin the counts of a consumer; the consumer is not affected.")


def processed(consumer: str, outcome: str) -> None:
    """Counts what became of one message at a consumer: ``ok``, ``duplicate``, ``early``, ``failed`` or ``dead``."""
    runtime = startup.current()
    if runtime is None:
        return
    try:
        runtime.aggregator.counter(INBOX_PROCESSED).add(1, (consumer, outcome))
    except Exception:
        logger.exception("otelkit could not count an event that came in; the event is not affected.")


def _begin(message: Message, kind: SpanKind, operation: str, more: dict[str, Any]) -> Span | None:
    runtime = startup.current()
    if runtime is None:
        return None
    try:
        attributes: dict[str, Any] = {
            "messaging.destination.name": message.destination,
            "messaging.operation.name": operation,
            "messaging.operation.type": operation,
            "messaging.message.id": message.id,
            "cloudevents.event_type": message.type,
            "cloudevents.event_source": message.source,
            **more,
        }
        if message.system:
            attributes["messaging.system"] = message.system
        parent, links = join(message.carried.context(), message.age, chosen().link_after)
        return runtime.tracer.start_span(f"{operation} {message.destination}", parent, kind, attributes, links)
    except Exception:
        logger.exception("otelkit could not begin the span of an event; the event is not affected.")
        return None


def _end(span: Span | None, error: BaseException | None) -> None:
    if span is None:
        return
    try:
        if error is not None:
            span.record_exception(error)
            span.set_attribute("error.type", type(error).__qualname__)
            span.set_status(Status(StatusCode.ERROR))
        span.end()
    except Exception:  # span processors may be the project's own
        logger.exception("otelkit could not end the span of an event; the event is not affected.")


def _in(span: Span | None, message: Message) -> Context:
    """The context for the work: within our span, or else within what the message carries, so that the trace goes on without us."""
    return message.carried.context(context.get_current()) if span is None else trace.set_span_in_context(span)
