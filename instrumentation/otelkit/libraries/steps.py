"""A step of a request's work inside of the process: a call of a cache, a template, a serializer.

Its time counts for a phase of the request, but for what other phases took of it. It has a span only where it was slow, or where the
settings ask for all of them: a span for each would cost more than most steps do.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextvars import Token
from time import perf_counter, time_ns
from typing import Any

from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, Status, StatusCode, Tracer

from otelkit.request.state import CURRENT

logger = logging.getLogger("otelkit.libraries")


class Steps:
    """Makes the spans of steps."""

    def __init__(self, tracer: Tracer, slow: float) -> None:
        """``slow`` is the time in seconds from which a step has a span; 0 gives each one, with what happens inside below it."""
        self._tracer = tracer
        self._slow = slow
        self.are_all_traced = slow <= 0

    def open(self, name: str, attributes: Mapping[str, Any]) -> Span | None:
        """The span of a step that begins; None where it shall have none, or where nothing is traced."""
        if not trace.get_current_span().is_recording():
            return None
        return self._tracer.start_span(name, attributes=attributes)

    def add(self, name: str, attributes: Mapping[str, Any], elapsed: float, error: BaseException | None) -> None:
        """Makes the span of a step behind it, where it was slow."""
        if elapsed < self._slow or not trace.get_current_span().is_recording():
            return
        ended = time_ns()
        span = self._tracer.start_span(name, attributes=attributes, start_time=ended - int(elapsed * 1e9))
        mark(span, error)
        span.end(ended)


class Step:
    """One step under way; :meth:`end` it once, whatever happens. Nothing here raises."""

    __slots__ = ("_attributes", "_before", "_name", "_span", "_started", "_steps", "_token", "_without", "own", "state")

    def __init__(self, steps: Steps, name: str, attributes: Mapping[str, Any]) -> None:
        self._steps = steps
        self._name = name
        self._attributes = attributes
        self.state = state = CURRENT.get()
        self._before = 0.0 if state is None else state.attributed
        self._span: Span | None = None
        self._token: Token[Context] | None = None
        self._without = 0.0
        self.own = 0.0
        """Seconds that count for the step's phase, once it has ended."""
        if steps.are_all_traced:
            self._open()
        self._started = perf_counter()

    def _open(self) -> None:
        try:
            self._span = self._steps.open(self._name, self._attributes)
            if self._span is not None:
                self._token = context.attach(trace.set_span_in_context(self._span))
        except Exception:  # samplers and processors may be the project's own
            logger.exception("otelkit could not trace a step of a request; the step is not affected.")

    def leave_out(self, elapsed: float, attributed: float) -> None:
        """Seconds within it are no part of it; of them ``attributed`` count for other phases already."""
        self._without += elapsed
        self._before += attributed

    def end(self, error: BaseException | None = None) -> float:
        """Ends it; gives its seconds."""
        elapsed = max(perf_counter() - self._started - self._without, 0.0)
        state = self.state
        self.own = elapsed if state is None else max(elapsed - (state.attributed - self._before), 0.0)
        try:
            if self._token is not None:
                context.detach(self._token)
            if self._span is not None:
                mark(self._span, error)
                self._span.end()
            elif not self._steps.are_all_traced:
                self._steps.add(self._name, self._attributes, elapsed, error)
        except Exception:  # as above
            logger.exception("otelkit could not trace a step of a request; the step is not affected.")
        return elapsed


def serialize(steps: Steps, name: str, what: str, work: Callable[[], Any]) -> Any:
    """Does the work, as a step of the phase "serialization". ``what`` is the qualified name of the code."""
    step = Step(steps, name, {"code.function.name": what})
    error: BaseException | None = None
    try:
        return work()
    except BaseException as raised:
        error = raised
        raise
    finally:
        step.end(error)
        if step.state is not None:
            step.state.serialization_time += step.own


def mark(span: Span, error: BaseException | None) -> None:
    """Says on the span what the step raised."""
    if error is not None:
        span.set_attribute("error.type", type(error).__qualname__)
        span.set_status(Status(StatusCode.ERROR, type(error).__qualname__))
