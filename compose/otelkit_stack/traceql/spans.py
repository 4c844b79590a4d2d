"""Spans as a query sees them: one trace at a time, attributes read from JSON once somebody asks for them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from otelkit_stack.traceql.values import Kind, Status

ROOT = -1
"""``nestedSetParent`` of a span without a parent; 0 is that of a span that no root reaches."""


@dataclass(frozen=True, slots=True)
class Owner:
    """A resource, or an instrumentation scope with its name and version: many spans share one."""

    attributes: dict[str, Any]
    name: str = ""
    version: str = ""


class Span:
    """One span; the numbers of the tree belong to its :class:`Trace`, which sets them."""

    __slots__ = (
        "_attributes", "_events", "_links", "child_count", "duration_ns", "kind_number", "left", "name", "parent", "parent_id",
        "raw_attributes", "raw_events", "raw_links", "resource", "right", "scope", "service", "span_id", "start_ns", "status_message",
        "status_number", "trace", "trace_id",
    )  # fmt: skip

    def __init__(self, row: tuple[Any, ...], resource: Owner, scope: Owner) -> None:
        (
            self.trace_id, self.span_id, self.parent_id, _, _, self.service, self.name, self.kind_number, self.start_ns,
            self.duration_ns, self.status_number, self.status_message, self.raw_attributes, self.raw_events, self.raw_links,
        ) = row  # fmt: skip
        self.resource = resource
        self.scope = scope
        self.trace: Trace | None = None
        self.left = self.right = self.parent = self.child_count = 0
        self._attributes: dict[str, Any] | None = None
        self._events: list[Any] | None = None
        self._links: list[Any] | None = None

    @property
    def attributes(self) -> dict[str, Any]:
        """The span's own attributes."""
        if self._attributes is None:
            self._attributes = json.loads(self.raw_attributes)
        return self._attributes

    @property
    def events(self) -> list[Any]:
        """Events as ``[time_ns, name, attributes]``."""
        if self._events is None:
            self._events = json.loads(self.raw_events)
        return self._events

    @property
    def links(self) -> list[Any]:
        """Links as ``[trace_id, span_id, attributes]``."""
        if self._links is None:
            self._links = json.loads(self.raw_links)
        return self._links

    @property
    def end_ns(self) -> int:
        """When it ended."""
        return int(self.start_ns) + int(self.duration_ns)

    @property
    def status(self) -> Status:
        """Its status; a number that OTLP may bring one day counts as unset."""
        return _STATUSES.get(self.status_number, Status.UNSET)

    @property
    def kind(self) -> Kind:
        """Its kind; a number that OTLP may bring one day counts as unspecified."""
        return _KINDS.get(self.kind_number, Kind.UNSPECIFIED)


_STATUSES = {status.value: status for status in Status}
_KINDS = {kind.value: kind for kind in Kind}


class Trace:
    """All spans of one trace that are stored, by start."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self.spans = sorted(spans, key=lambda span: (span.start_ns, span.span_id))
        for span in self.spans:
            span.trace = self

    @cached_property
    def start_ns(self) -> int:
        """When the first span started."""
        return int(self.spans[0].start_ns)

    @cached_property
    def duration_ns(self) -> int:
        """From the first start to the last end."""
        return max(span.end_ns for span in self.spans) - self.start_ns

    @cached_property
    def root(self) -> Span | None:
        """The first span without a parent; None while that has not arrived."""
        return next((span for span in self.spans if span.parent_id is None), None)

    @cached_property
    def is_numbered(self) -> bool:
        """Always True; once it has been asked for, each span knows its place in the tree.

        ``left`` and ``right`` enclose those of the spans below. A span that no root reaches keeps zeros: it has no place, as in Tempo.
        """
        children: dict[bytes | None, list[Span]] = {}
        for span in self.spans:
            children.setdefault(span.parent_id, []).append(span)
        number = 1
        open_: list[tuple[Span, int]] = [(span, ROOT) for span in reversed(children.get(None, ()))]
        while open_:  # not recursive, because the services decide about the depth
            span, parent = open_.pop()
            if parent is _CLOSES:
                span.right = number
            elif not span.left:  # a ring of spans is walked once
                span.left, span.parent = number, parent
                below = children.get(span.span_id, [])
                open_.append((span, _CLOSES))
                open_.extend((child, span.left) for child in reversed(below))
            else:
                continue
            number += 1
        for span in self.spans:
            span.child_count = len(children.get(span.span_id, ()))
        return True


_CLOSES = 0
