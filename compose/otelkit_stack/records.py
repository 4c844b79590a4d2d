"""What the stack gives back: spans, log records, traces, series, exemplars.

Times are Unix nanoseconds, durations seconds, ids hex. The mappings belong to the record: do not change them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scope:
    """The instrumentation that recorded something."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at one moment of a span, such as an exception."""

    time_ns: int
    name: str
    attributes: dict[str, object]


@dataclass(frozen=True, slots=True)
class Link:
    """Another span that a span points at, often of another trace."""

    trace_id: str
    span_id: str
    attributes: dict[str, object]


@dataclass(frozen=True, slots=True)
class Span:
    """One operation of one service; ``kind`` is like ``SERVER``, ``status`` is ``UNSET``, ``OK`` or ``ERROR``."""

    trace_id: str
    span_id: str
    parent_span_id: str | None
    service: str
    name: str
    kind: str
    start_ns: int
    end_ns: int
    duration_s: float
    status: str
    status_message: str
    attributes: dict[str, object]
    resource: dict[str, object]
    scope: Scope
    events: list[Event]
    links: list[Link]


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One log line. ``severity`` is the text that was sent (``INFO``), ``severity_number`` OTLP's 1 to 24, 0 for none."""

    time_ns: int
    severity: str
    severity_number: int
    body: str
    event_name: str
    trace_id: str | None
    span_id: str | None
    service: str
    attributes: dict[str, object]
    resource: dict[str, object]


@dataclass(frozen=True, slots=True)
class Series:
    """One Prometheus series: ``labels`` without ``__name__``, ``samples`` as (Unix nanoseconds, value) by time."""

    name: str
    labels: dict[str, str]
    samples: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One measurement with the trace it was made in; ``metric`` and ``labels`` are those of its series."""

    metric: str
    labels: dict[str, str]
    value: float
    time_ns: int
    trace_id: str | None
    span_id: str | None


@dataclass(frozen=True, slots=True)
class AlertChange:
    """One step in the life of an alert; states are ``inactive``, ``pending`` and ``firing``."""

    time_ns: int
    rule: str
    labels: dict[str, str]
    before: str
    after: str
    value: float


@dataclass(frozen=True, slots=True)
class TraceNode:
    """A span and the spans it called, by start."""

    span: Span
    children: tuple[TraceNode, ...]

    def walk(self) -> Iterator[tuple[int, TraceNode]]:
        """This node and all below it in reading order, each with its depth, from 0."""
        waiting = [(0, self)]
        while waiting:  # not recursive, because the services decide about the depth
            depth, node = waiting.pop()
            yield depth, node
            waiting.extend((depth + 1, child) for child in reversed(node.children))


@dataclass(frozen=True, slots=True)
class Trace:
    """All that belongs to one trace, each by time; ``spans`` is empty where only log lines carry its id."""

    trace_id: str
    spans: tuple[Span, ...]
    logs: tuple[LogRecord, ...]
    exemplars: tuple[Exemplar, ...]

    @property
    def root(self) -> Span | None:
        """The first span without a parent; where its own has not arrived, the first span."""
        return next((span for span in self.spans if span.parent_span_id is None), self.spans[0] if self.spans else None)

    @property
    def duration_s(self) -> float:
        """From the start of the first span to the end of the last, in seconds."""
        if not self.spans:
            return 0.0
        return (max(span.end_ns for span in self.spans) - min(span.start_ns for span in self.spans)) / 1e9

    def tree(self) -> tuple[TraceNode, ...]:
        """The spans below one another: one node for each span whose parent is absent or has not arrived, by start.

        Each span is in it exactly once, also where spans claim to be one another's parents.
        """
        children: dict[str | None, list[Span]] = {}
        known = {span.span_id for span in self.spans}
        for span in self.spans:
            children.setdefault(span.parent_span_id if span.parent_span_id in known else None, []).append(span)
        placed: set[str] = set()
        # After the roots, whatever they do not reach: a ring of spans is opened at the one that started first.
        return tuple(_grown(span, children, placed) for span in (*children.get(None, ()), *self.spans) if span.span_id not in placed)


def _grown(root: Span, children: dict[str | None, list[Span]], placed: set[str]) -> TraceNode:
    """The node of a span with all below it that is not placed yet."""
    placed.add(root.span_id)
    below: dict[str, list[Span]] = {}
    reading_order = [root]
    for span in reading_order:  # grows while it is read
        below[span.span_id] = [child for child in children.get(span.span_id, ()) if child.span_id not in placed]
        placed.update(child.span_id for child in below[span.span_id])
        reading_order.extend(below[span.span_id])
    nodes: dict[str, TraceNode] = {}
    for span in reversed(reading_order):  # children before their parents
        nodes[span.span_id] = TraceNode(span, tuple(nodes.pop(child.span_id) for child in below[span.span_id]))
    return nodes[root.span_id]


@dataclass(frozen=True, slots=True)
class TraceSummary:
    """One line of a list of traces: ``service`` and ``name`` are the root's, ``spans`` and ``errors`` are counts."""

    trace_id: str
    service: str
    name: str
    start_ns: int
    duration_s: float
    spans: int
    errors: int


@dataclass(frozen=True, slots=True)
class ServiceRed:
    """Rate, errors and duration of a service's requests in a window.

    ``requests`` and ``errors`` are counts, ``rate`` is requests per second, ``error_ratio`` from 0 to 1, quantiles in seconds.
    """

    service: str
    requests: int
    errors: int
    rate: float
    error_ratio: float
    p50_s: float
    p95_s: float
