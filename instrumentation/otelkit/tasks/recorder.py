"""Records tasks: the span that sends one, the span of each attempt, how long it waited and ran, and what became of it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextvars import Token
from time import perf_counter, time
from typing import Any

from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, Status, StatusCode, Tracer

from otelkit.catalog.metrics import ERRORS_CAPTURED, TASK_ACTIVE, TASK_DURATION, TASK_LAST_SUCCESS_TIME, TASK_WAIT_DURATION
from otelkit.metrics.aggregator import Aggregator
from otelkit.request.description import qualified
from otelkit.tasks.carrying import NOBODY, Carried
from otelkit.tasks.state import CURRENT_TASK, TaskState
from otelkit.traces.suppression import is_suppressed

logger = logging.getLogger("otelkit.tasks")


class Sending:
    """A task that is being given to the broker; its span is current until :meth:`end`."""

    __slots__ = ("_span", "_token")

    def __init__(self, span: Span) -> None:
        self._span = span
        self._token: Token[Context] = context.attach(trace.set_span_in_context(span))

    def describe(self, attributes: Mapping[str, str]) -> None:
        """Adds what is known by now."""
        self._span.set_attributes(attributes)

    def end(self, error: BaseException | None = None) -> None:
        """The broker has it, or has refused it. Does not raise."""
        try:
            context.detach(self._token)
            if error is not None:
                self._span.set_attribute("error.type", qualified(error))
                self._span.set_status(Status(StatusCode.ERROR))
            self._span.end()
        except Exception:  # span processors may be the project's own
            logger.exception("otelkit could not record that a task was sent; the task is not affected.")


class TaskRecorder:
    """Follows tasks for whichever library runs them. Nothing here raises into the task."""

    def __init__(self, tracer: Tracer, aggregator: Aggregator, link_after: float) -> None:
        """``link_after`` is the time in seconds from which an attempt is linked to the trace that sent it, and no part of it."""
        self._tracer = tracer
        self._link_after = link_after
        self._duration = aggregator.histogram(TASK_DURATION)
        self._wait = aggregator.histogram(TASK_WAIT_DURATION)
        self._active = aggregator.counter(TASK_ACTIVE)
        self._last_success = aggregator.gauge(TASK_LAST_SUCCESS_TIME)
        self._errors = aggregator.counter(ERRORS_CAPTURED)

    def send(self, name: str, system: str) -> Sending | None:
        """Begins to send a task; None where nothing is to be traced."""
        try:
            if is_suppressed():
                return None
            attributes = {"task.name": name, "messaging.system": system, "messaging.operation.name": "send"}
            return Sending(self._tracer.start_span(f"send {name}", kind=SpanKind.PRODUCER, attributes=attributes))
        except Exception:  # samplers and processors may be the project's own
            logger.exception("otelkit could not trace that a task is sent; the task is not affected.")
            return None

    def begin(
        self,
        name: str,
        id: str,
        queue: str,
        *,
        system: str = "",
        carried: Carried | None = None,
        due_at: float | None = None,
        retries: int = 0,
        is_scheduled: bool = False,
    ) -> TaskState:
        """Begins an attempt and makes it current in this thread. Without ``carried`` it runs where it was called.

        ``due_at`` is the Unix time before which it was not to begin; ``retries`` counts the attempts before this one.
        """
        brought = carried or Carried(NOBODY)
        waited = _waited(brought.sent_at, due_at)
        state = TaskState(name, id, queue, INVALID_SPAN, waited, is_scheduled, perf_counter())
        self._active.add(1, (queue,))
        base: Context | None = None
        try:
            attributes: dict[str, Any] = {"task.name": name, "messaging.message.id": id}
            if queue:
                attributes["queue"] = queue
            if carried is not None:
                attributes |= _message(system, queue)
            if waited is not None:
                attributes["task.wait_ms"] = round(waited * 1000, 3)
            if retries:
                attributes["task.retries"] = retries
            base, links = (None, ()) if carried is None else brought.parent(self._link_after)
            state.span = self._tracer.start_span(f"process {name}", base, SpanKind.CONSUMER, attributes, links)
        except Exception:  # as above
            logger.exception("otelkit could not trace a task; it runs without a span.")
        state.token = context.attach(trace.set_span_in_context(state.span, base))
        state.state_token = CURRENT_TASK.set(state)
        return state

    def fail(self, state: TaskState, error: BaseException, *, outcome: str = "error", is_expected: bool = False) -> None:
        """What the attempt raised. ``is_expected`` says that the task declares it, or will be tried again."""
        state.outcome = outcome
        try:
            self.count(error, state.name, is_expected=is_expected)
            span = state.span
            span.set_attribute("error.type", qualified(error))
            if not is_expected:
                span.record_exception(error)
                span.set_status(Status(StatusCode.ERROR))
        except Exception:  # as above
            logger.exception("otelkit could not record the failure of a task; the task is not affected.")

    def count(self, error: BaseException, name: str, *, is_expected: bool = False) -> None:
        """Counts an exception of a task, also of one that does not run here."""
        self._errors.add(1, (qualified(error), None, is_expected, name))

    def end(self, state: TaskState) -> None:
        """Ends the attempt, in the thread in which it began."""
        elapsed = state.elapsed
        try:
            if state.state_token is not None:
                CURRENT_TASK.reset(state.state_token)
            if state.token is not None:
                context.detach(state.token)
            labels = (state.name, state.queue, state.outcome)
            span_context = state.span.get_span_context()
            state.span.end()
            self._duration.record(elapsed, labels, span_context)
            if state.waited is not None:
                self._wait.record(state.waited, labels, span_context)
            if state.is_scheduled and state.outcome == "ok":
                self._last_success.set(time(), (state.name,))
            self._active.add(-1, (state.queue,))
        except Exception:  # as above
            logger.exception("otelkit could not record a task; the task is not affected.")


def _message(system: str, queue: str) -> dict[str, str]:
    return {
        "messaging.system": system,
        "messaging.destination.name": queue,
        "messaging.operation.name": "process",
    }


def _waited(sent_at: float | None, due_at: float | None) -> float | None:
    """Seconds since the task was due; 0 where the sender's clock is ahead of ours. None where nobody said when it was sent."""
    if sent_at is None:
        return None
    return max(time() - max(sent_at, due_at or 0.0), 0.0)
