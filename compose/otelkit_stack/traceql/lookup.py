"""Reading one attribute or intrinsic of a span, as a function made once for a query."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from otelkit_stack.traceql import syntax as s
from otelkit_stack.traceql.spans import Span
from otelkit_stack.traceql.values import Duration, Many, Value, stored_value

Lookup = Callable[[Span], Value]


def lookup_of(attribute: s.Attribute) -> Lookup:
    """What reads it; None where a span has none. Without a scope the span's own comes first, then resource, event, link, library."""
    name = attribute.name
    match attribute.scope:
        case "intrinsic":
            return INTRINSICS[name]
        case "":
            return _first(tuple(lookup_of(s.Attribute(scope, name)) for scope in _SCOPES))
        case "span":
            return _of_span(name)
        case "resource":
            return lambda span: stored_value(span.resource.attributes.get(name))
        case "instrumentation":
            return lambda span: stored_value(span.scope.attributes.get(name))
        case "event":
            token = _token(name)
            return lambda span: many(event[2].get(name) for event in span.events) if token in span.raw_events else None
        case "link":
            token = _token(name)
            return lambda span: many(link[2].get(name) for link in span.links) if token in span.raw_links else None


_SCOPES: tuple[s.Scope, ...] = ("span", "resource", "event", "link", "instrumentation")


def _token(name: str) -> str:
    """How the name stands in stored JSON: to look for it is much quicker than to read a JSON that has it not."""
    return json.dumps(name, ensure_ascii=False) + ":"


def _of_span(name: str) -> Lookup:
    token = _token(name)

    def read(span: Span) -> Value:
        return stored_value(span.attributes.get(name)) if token in span.raw_attributes else None

    return read


def _first(lookups: tuple[Lookup, ...]) -> Lookup:
    def read(span: Span) -> Value:
        for lookup in lookups:
            value = lookup(span)
            if value is not None:
                return value
        return None

    return read


def many(stored: Iterable[Any]) -> Value:
    """Those that are values; one alone is itself."""
    values = [value for value in map(stored_value, stored) if value is not None]
    return None if not values else values[0] if len(values) == 1 else Many(values)


def _root_name(span: Span) -> Value:
    root = span.trace.root if span.trace is not None else None
    return root.name if root is not None else None


def _root_service(span: Span) -> Value:
    root = span.trace.root if span.trace is not None else None
    return root.service if root is not None else None


def _placed(read: Callable[[Span], int]) -> Lookup:
    return lambda span: read(span) if span.trace is not None and span.trace.is_numbered else None


def _times_of_events(span: Span) -> Value:
    times = [Duration(event[0] - span.start_ns) for event in span.events]
    return None if not times else times[0] if len(times) == 1 else Many(times)


INTRINSICS: dict[str, Lookup] = {
    "name": lambda span: span.name,
    "duration": lambda span: Duration(span.duration_ns),
    "status": lambda span: span.status,
    "statusMessage": lambda span: span.status_message,
    "kind": lambda span: span.kind,
    "span:id": lambda span: span.span_id.hex(),
    "span:parentID": lambda span: span.parent_id.hex() if span.parent_id else None,
    "span:childCount": _placed(lambda span: span.child_count),
    "trace:id": lambda span: hex_id(span.trace_id),
    "traceDuration": lambda span: Duration(span.trace.duration_ns) if span.trace is not None else None,
    "rootName": _root_name,
    "rootServiceName": _root_service,
    "nestedSetLeft": _placed(lambda span: span.left),
    "nestedSetRight": _placed(lambda span: span.right),
    "nestedSetParent": _placed(lambda span: span.parent),
    "event:name": lambda span: many(event[1] for event in span.events) if len(span.raw_events) > 2 else None,
    "event:timeSinceStart": _times_of_events,
    "link:traceID": lambda span: many(link[0] for link in span.links),
    "link:spanID": lambda span: many(link[1] for link in span.links),
    "instrumentation:name": lambda span: span.scope.name,
    "instrumentation:version": lambda span: span.scope.version,
}
"""What reads each intrinsic, by the name that Tempo gives it."""


def hex_id(trace_id: bytes) -> str:
    """A trace's id as Tempo writes it: without zeros in front."""
    return trace_id.hex().lstrip("0") or "0"
