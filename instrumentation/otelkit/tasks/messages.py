"""Records messages that are no tasks: the span that sends one, the span that works on one, and the metrics of both.

Source: semantic conventions 1.37, messaging spans and messaging metrics.
"""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from contextvars import Token
from time import perf_counter
from typing import Any

from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, Status, StatusCode, Tracer

from otelkit.catalog.metrics import (
    MESSAGING_CLIENT_CONSUMED_MESSAGES,
    MESSAGING_CLIENT_OPERATION_DURATION,
    MESSAGING_CLIENT_SENT_MESSAGES,
    MESSAGING_PROCESS_DURATION,
)
from otelkit.metrics.aggregator import Aggregator
from otelkit.request.description import qualified
from otelkit.tasks import carrying
from otelkit.tasks.carrying import Read
from otelkit.traces.suppression import is_suppressed

logger = logging.getLogger("otelkit.tasks")

_SEND, _PROCESS = "send", "process"
"""Values of ``messaging.operation.name``."""


class Message:
    """One message that is being sent or worked on; its span is current until :meth:`end`."""

    __slots__ = ("_destination", "_operation", "_recorder", "_span", "_started", "_system", "_token")

    def __init__(self, recorder: MessageRecorder, operation: str, system: str, destination: str, span: Span, base: Context | None) -> None:
        self._recorder = recorder
        self._operation = operation
        self._system = system
        self._destination = destination
        self._span = span
        self._token: Token[Context] = context.attach(trace.set_span_in_context(span, base))
        self._started = perf_counter()

    def end(self, error: BaseException | None = None) -> None:
        """Records it, in the thread in which it began. Does not raise."""
        elapsed = perf_counter() - self._started
        try:
            context.detach(self._token)
            error_type = None if error is None else qualified(error)
            if error_type is not None:
                self._span.set_attribute("error.type", error_type)
                self._span.set_status(Status(StatusCode.ERROR))
            labels = (self._system, self._destination, self._operation, error_type)
            self._recorder.measure(self._operation == _SEND, elapsed, labels, self._span)
            self._span.end()
        except Exception:  # span processors may be the project's own
            logger.exception("otelkit could not record a message; the message is not affected.")


class MessageRecorder:
    """Follows messages for whichever library carries them. Nothing here raises into it."""

    def __init__(self, tracer: Tracer, aggregator: Aggregator, link_after: float) -> None:
        """``link_after`` is as for tasks."""
        self._tracer = tracer
        self._link_after = link_after
        self._operation = aggregator.histogram(MESSAGING_CLIENT_OPERATION_DURATION)
        self._sent = aggregator.counter(MESSAGING_CLIENT_SENT_MESSAGES)
        self._consumed = aggregator.counter(MESSAGING_CLIENT_CONSUMED_MESSAGES)
        self._process = aggregator.histogram(MESSAGING_PROCESS_DURATION)

    def send(self, system: str, destination: str, headers: MutableMapping[str, Any]) -> Message | None:
        """Begins to send a message, whose headers get its trace; None where nothing is to be traced."""
        if is_suppressed():
            return None
        span = self._span(_SEND, system, destination, SpanKind.PRODUCER)
        message = Message(self, _SEND, system, destination, span, None)
        try:
            carrying.write(headers)
        except Exception:  # a propagator of the project's, or headers that cannot be written
            logger.exception("otelkit could not give a message its trace; it is sent without.")
        return message

    def process(self, system: str, destination: str, header: Read) -> Message:
        """Begins to work on a message."""
        base, links = carrying.read(header).parent(self._link_after)
        self._consumed.add(1, (system, destination, _PROCESS, None))
        return Message(self, _PROCESS, system, destination, self._span(_PROCESS, system, destination, SpanKind.CONSUMER, base, links), base)

    def _span(self, operation: str, system: str, destination: str, kind: SpanKind, base: Context | None = None, links: Any = ()) -> Span:
        try:
            attributes = {
                "messaging.system": system,
                "messaging.destination.name": destination,
                "messaging.operation.name": operation,
            }
            return self._tracer.start_span(f"{operation} {destination}", base, kind, attributes, links)
        except Exception:  # samplers and processors may be the project's own
            logger.exception("otelkit could not trace a message; it goes on without a span.")
            return INVALID_SPAN

    def measure(self, is_sent: bool, elapsed: float, labels: tuple[str, str, str, str | None], span: Span) -> None:
        """Measures what has ended."""
        if is_sent:
            self._operation.record(elapsed, labels, span.get_span_context())
            self._sent.add(1, labels)
        else:
            self._process.record(elapsed, labels, span.get_span_context())
