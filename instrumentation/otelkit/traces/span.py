"""A span of OpenTelemetry's API that costs a tenth of the SDK's: plain fields, written once, read by our encoder.

The SDK checks and copies each attribute when it is set, under a lock. The kit sets known attributes from one thread, so their number is
checked here, and only what a project adds is looked at: it is made plain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from time import perf_counter_ns, time_ns
from typing import Any, NamedTuple

from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, Status, StatusCode
from opentelemetry.util.types import Attributes, AttributeValue

from otelkit.safe_text import name_of
from otelkit.traces.attributes import exception_attributes, plain_attributes

MOST_ATTRIBUTES = 128
MOST_EVENTS = 128
"""OpenTelemetry's defaults; what comes beyond is counted and left out."""

LONGEST_SMALL_TEXT = 256
"""Characters of a text that a small span may hold."""

_UNSET = Status()


class Event(NamedTuple):
    """Something that happened within a span, at a Unix time in nanoseconds."""

    name: str
    attributes: Mapping[str, Any]
    timestamp: int

    dropped_attributes: int = 0  # as the SDK's events have it; ours keep what they are given


class RecordingSpan(Span):
    """A sampled span. Its fields have the names of the SDK's ``ReadableSpan``, so one encoder serves both."""

    dropped_links = 0
    """None ever is: few are made, and the kit makes them."""

    __slots__ = (
        "_clock",
        "_take",
        "attributes",
        "context",
        "dropped_attributes",
        "dropped_events",
        "end_time",
        "events",
        "instrumentation_scope",
        "is_small",
        "kind",
        "links",
        "name",
        "parent",
        "start_time",
        "status",
    )

    def __init__(
        self,
        name: str,
        context: SpanContext,
        parent: SpanContext | None,
        kind: SpanKind,
        scope: InstrumentationScope,
        take: Callable[[Any], None],
    ) -> None:
        self._clock = perf_counter_ns()
        self.start_time = time_ns()
        self.name = name
        self.context = context
        self.parent = parent
        self.kind = kind
        self.instrumentation_scope = scope
        self.attributes: dict[str, Any] = {}
        self.dropped_attributes = 0
        self.dropped_events = 0
        self.events: list[Event] = []
        self.links: Sequence[Link] = ()
        self.status = _UNSET
        self.end_time: int | None = None
        self.is_small = False
        """True where whoever filled it knows that there is no long text, event or link in it, so that nobody has to look."""
        self._take = take

    def get_span_context(self) -> SpanContext:
        return self.context

    def is_recording(self) -> bool:
        return self.end_time is None

    def set_attribute(self, key: str, value: AttributeValue) -> None:
        self.set_attributes({key: value})

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        if self.end_time is not None:
            return
        self.is_small = False
        mine = self.attributes
        mine.update(plain_attributes(attributes))
        while len(mine) > MOST_ATTRIBUTES:
            mine.popitem()
            self.dropped_attributes += 1

    def fill(self, attributes: dict[str, Any], *, is_small: bool) -> None:
        """For the kit's own attributes, fewer than :data:`MOST_ATTRIBUTES`: sets them at once, and where there were none takes the dict."""
        if self.attributes or self.events or self.links:
            self.set_attributes(attributes)
        elif self.end_time is None:
            self.attributes = attributes
            self.is_small = is_small

    def add_event(self, name: str, attributes: Attributes = None, timestamp: int | None = None) -> None:
        if self.end_time is not None:
            return
        self.is_small = False
        if len(self.events) == MOST_EVENTS:
            self.dropped_events += 1
        else:
            self.events.append(Event(name_of(name), plain_attributes(attributes), timestamp or time_ns()))

    def add_link(self, context: SpanContext, attributes: Attributes = None) -> None:
        if self.end_time is None:
            self.is_small = False
            self.links = (*self.links, Link(context, plain_attributes(attributes)))

    def update_name(self, name: str) -> None:
        if self.end_time is None:
            self.name = name_of(name)

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """OK is final, and UNSET never replaces anything (specification of the API)."""
        if not isinstance(status, Status):
            status = Status(status, None if description is None else name_of(description))
        if self.end_time is None and self.status.status_code is not StatusCode.OK and status.status_code is not StatusCode.UNSET:
            self.status = status

    def record_exception(
        self, exception: BaseException, attributes: Attributes = None, timestamp: int | None = None, escaped: bool = False
    ) -> None:
        self.add_event("exception", exception_attributes(exception, attributes, escaped=escaped), timestamp)

    def end(self, end_time: int | None = None) -> None:
        if self.end_time is None:
            # From the clock that never goes back: a span must not end before it began when somebody sets the time.
            self.end_time = end_time or self.start_time + perf_counter_ns() - self._clock
            self._take(self)
