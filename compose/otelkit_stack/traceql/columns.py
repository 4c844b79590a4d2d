"""Which columns of a span a query needs: the others are left blank, so that the index alone may answer."""

from __future__ import annotations

from collections.abc import Iterable

from otelkit_stack.traceql import syntax as s

COLUMNS = (
    "trace_id", "span_id", "parent_span_id", "resource_id", "scope_id", "service", "name", "kind", "start_ns", "duration_ns", "status",
    "status_message", "attributes", "events", "links",
)  # fmt: skip
"""In the order in which a span is made of them."""
# What only the trace as a whole can tell of a span.
_OF_TRACES = frozenset(
    {"traceDuration", "rootName", "rootServiceName", "nestedSetLeft", "nestedSetRight", "nestedSetParent", "span:childCount"}
)
_BLANKS = {
    "span_id": "x''",
    "parent_span_id": "NULL",
    "scope_id": "0",
    "service": "''",
    "status_message": "''",
    "attributes": "'{}'",
    "events": "'[]'",
    "links": "'[]'",
}
_NEEDED_BY_INTRINSICS = {
    "statusMessage": "status_message",
    "span:id": "span_id",
    "span:parentID": "parent_span_id",
    "event:name": "events",
    "event:timeSinceStart": "events",
    "link:traceID": "links",
    "link:spanID": "links",
    "instrumentation:name": "scope_id",
    "instrumentation:version": "scope_id",
}
_NEEDED_BY_SCOPES: dict[s.Scope, tuple[str, ...]] = {
    "span": ("attributes",),
    "event": ("events",),
    "link": ("links",),
    "instrumentation": ("scope_id",),
    "": ("attributes", "events", "links", "scope_id"),
}


def concern_traces(attributes: Iterable[s.Attribute]) -> bool:
    """Whether one of them is known of a span only together with the others of its trace."""
    return any(attribute.scope == "intrinsic" and attribute.name in _OF_TRACES for attribute in attributes)


def columns_for(attributes: Iterable[s.Attribute]) -> list[str]:
    """The columns of a span, those that none of the attributes needs being blank."""
    needed: set[str] = set()
    for attribute in attributes:
        if attribute.scope == "intrinsic":
            needed.add(_NEEDED_BY_INTRINSICS.get(attribute.name, ""))
        else:
            needed.update(_NEEDED_BY_SCOPES.get(attribute.scope, ()))
    return [_BLANKS.get(column, column) if column not in needed else column for column in COLUMNS]
