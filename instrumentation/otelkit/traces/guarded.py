"""The SDK's tracer and spans, safe from what they are given.

The SDK reads attributes when they are set, in the request: a value whose ``__str__`` raises, or that holds itself, raises there; ten
megabytes of memoryview take a minute. And where an exception cannot be shown, its ``use_span`` raises that in the exception's place.
Here what is set is made plain first, and what still fails costs the attribute.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import Any

from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, Status, StatusCode, Tracer
from opentelemetry.util.types import Attributes

from otelkit.logs.exceptions import message_of
from otelkit.safe_text import name_of
from otelkit.traces.attributes import exception_attributes, plain_attributes
from otelkit.traces.current import CurrentSpan

logger = logging.getLogger("otelkit.traces")


def guarded(tracer: Tracer) -> Tracer:
    """The tracer, whose spans from now on raise for nothing."""
    if type(tracer).__module__ != __name__:  # the SDK hands the same one out to everybody who asks for its name
        # The SDK has no way to say which class its tracers and spans shall have.
        tracer.__class__ = _guarded_tracer(type(tracer))
    return tracer


@lru_cache(maxsize=16)
def _guarded_span(kind: Any) -> Any:
    class GuardedSpan(kind):  # type: ignore[misc]  # whichever class the SDK's tracer makes
        def set_attribute(self, key: str, value: Any) -> None:
            self.set_attributes({key: value})

        def set_attributes(self, attributes: Mapping[str, Any]) -> None:
            _attempt(super().set_attributes, plain_attributes(attributes))

        def add_event(self, name: str, attributes: Attributes = None, timestamp: int | None = None) -> None:
            _attempt(super().add_event, name_of(name), plain_attributes(attributes), timestamp)

        def add_link(self, context: SpanContext, attributes: Attributes = None) -> None:
            _attempt(super().add_link, context, plain_attributes(attributes))

        def update_name(self, name: str) -> None:
            _attempt(super().update_name, name_of(name))

        def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
            _attempt(super().set_status, status, None if description is None else name_of(description))

        def record_exception(
            self, exception: BaseException, attributes: Attributes = None, timestamp: int | None = None, escaped: bool = False
        ) -> None:
            self.add_event("exception", exception_attributes(exception, attributes, escaped=escaped), timestamp)

    return GuardedSpan


@lru_cache(maxsize=16)
def _guarded_tracer(kind: Any) -> Any:
    class GuardedTracer(kind):  # type: ignore[misc]  # whichever class the SDK's provider makes
        def start_span(
            self,
            name: str,
            context: Context | None = None,
            kind: SpanKind = SpanKind.INTERNAL,
            attributes: Attributes = None,
            links: Any = None,
            start_time: int | None = None,
            record_exception: bool = True,
            set_status_on_exception: bool = True,
        ) -> Span:
            safe_links = [Link(link.context, plain_attributes(link.attributes)) for link in links or ()]
            span: Span = super().start_span(
                name_of(name),
                context,
                kind,
                plain_attributes(attributes),
                safe_links,
                start_time,
                record_exception,
                set_status_on_exception,
            )
            if span.is_recording():
                span.__class__ = _guarded_span(type(span))
            return span

        def start_as_current_span(
            self,
            name: str,
            context: Context | None = None,
            kind: SpanKind = SpanKind.INTERNAL,
            attributes: Attributes = None,
            links: Any = None,
            start_time: int | None = None,
            record_exception: bool = True,
            set_status_on_exception: bool = True,
            end_on_exit: bool = True,
        ) -> CurrentSpan:
            start = partial(self.start_span, name, context, kind, attributes, links, start_time)
            return CurrentSpan(partial(_current, start, record_exception, set_status_on_exception, end_on_exit))

    return GuardedTracer


def _attempt(set_: Callable[..., None], *arguments: Any) -> None:
    try:
        set_(*arguments)
    except Exception:
        logger.exception("otelkit could not set something on a span of the project's; the code that set it goes on.")


@contextmanager
def _current(start: Callable[[], Span], records_exception: bool, sets_status: bool, ends: bool) -> Iterator[Span]:
    """As OpenTelemetry's ``use_span`` has it, but an exception that cannot be shown goes on as it is."""
    span = start()
    token = contexts.attach(trace.set_span_in_context(span))
    try:
        yield span
    except Exception as error:
        if span.is_recording():
            if records_exception:
                span.record_exception(error)
            if sets_status:
                span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {message_of(error)}"))
        raise
    finally:
        contexts.detach(token)
        if ends:
            span.end()
