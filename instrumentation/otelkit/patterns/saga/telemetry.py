"""What sagas say of themselves. Any orchestrator may call these; while the kit is off they do nothing.

A saga is one trace: its row keeps the span that started it, and each step's span is a child of that, or, after
``OTELKIT["events"]["link_after"]`` seconds, of a trace of its own that links to it. Nothing here raises by itself.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from opentelemetry import context, trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from otelkit import startup
from otelkit.catalog.labels import SAGA_OUTCOME
from otelkit.catalog.metrics import SAGA_COMPLETED, SAGA_STARTED, SAGA_STEP_DURATION
from otelkit.patterns.carrying import NOTHING, Carried
from otelkit.patterns.events.configuring import chosen
from otelkit.traces.joining import join

logger = logging.getLogger("otelkit.patterns")


def started(saga: str) -> None:
    """Counts a saga that begins, and begins the counts of how such sagas end at zero: else the first failure would tell no rule."""
    runtime = startup.current()
    if runtime is not None:
        try:
            runtime.aggregator.counter(SAGA_STARTED).add(1, (saga,))
            for outcome in SAGA_OUTCOME.values:
                runtime.aggregator.counter(SAGA_COMPLETED).add(0, (saga, outcome))
        except Exception:
            logger.exception("otelkit could not count a saga; the saga is not affected.")


def completed(saga: str, outcome: str) -> None:
    """Counts a saga that ends: ``ok``, ``compensated`` or ``failed``."""
    runtime = startup.current()
    if runtime is not None:
        try:
            runtime.aggregator.counter(SAGA_COMPLETED).add(1, (saga, outcome))
        except Exception:
            logger.exception("otelkit could not count a saga; the saga is not affected.")


@contextmanager
def step(saga: str, step: str, outcome: str = "ok", *, carried: Carried = NOTHING, age: float = 0.0) -> Iterator[None]:
    """Around one step, or, with the outcome ``compensated``, around its undoing: a span, and ``saga.step.duration``.

    ``carried`` is the span that started the saga ``age`` seconds ago; without one the current span is the parent. An exception makes the
    outcome ``failed``, and goes on.
    """
    span = _begin(saga, step, outcome, carried, age)
    within = carried.context(context.get_current()) if span is None else trace.set_span_in_context(span)
    outer = context.attach(within)
    begun = perf_counter()
    try:
        yield
    except BaseException as error:
        _end(saga, step, "failed", perf_counter() - begun, span, error)
        raise
    else:
        _end(saga, step, outcome, perf_counter() - begun, span, None)
    finally:
        context.detach(outer)


def _begin(saga: str, step: str, outcome: str, carried: Carried, age: float) -> Span | None:
    runtime = startup.current()
    if runtime is None:
        return None
    try:
        attributes = {"saga": saga, "step": step, "saga.step.direction": "backward" if outcome == "compensated" else "forward"}
        parent, links = (None, ()) if carried.span is None else join(carried.context(), age, chosen().link_after)
        verb = "undo " if outcome == "compensated" else ""
        return runtime.tracer.start_span(f"{saga} {verb}{step}", parent, SpanKind.INTERNAL, attributes, links)
    except Exception:
        logger.exception("otelkit could not begin the span of a saga's step; the saga is not affected.")
        return None


def _end(saga: str, step: str, outcome: str, seconds: float, span: Span | None, error: BaseException | None) -> None:
    runtime = startup.current()
    try:
        if runtime is not None:
            spot = None if span is None else span.get_span_context()
            runtime.aggregator.histogram(SAGA_STEP_DURATION).record(seconds, (saga, step, outcome), spot)
        if span is None:
            return
        if error is not None:
            span.record_exception(error)
            span.set_attribute("error.type", type(error).__qualname__)
            span.set_status(Status(StatusCode.ERROR))
        span.end()
    except Exception:
        logger.exception("otelkit could not record a saga's step; the saga is not affected.")
