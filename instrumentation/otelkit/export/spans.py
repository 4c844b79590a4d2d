"""Spans as an OTLP request, written straight to bytes.

Building protobuf objects first, as the SDK's encoder does, costs six times as much, and holds the interpreter's lock while requests wait.

Source: opentelemetry/proto/trace/v1/trace.proto and collector/trace/v1/trace_service.proto.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanKind, StatusCode

from otelkit.export.attributes import encode_attributes
from otelkit.export.envelope import ITEM, ScopeItems, encode_request, encode_scope, encode_scope_attributes
from otelkit.export.values import utf8
from otelkit.export.wire import DELIMITED, FIXED32, FIXED64, VARINT, fixed32, fixed64, sized, tag, varint
from otelkit.redaction import redact_query_strings, redact_text
from otelkit.safe_text import name_of
from otelkit.traces.span import RecordingSpan

# Span
_TRACE_ID, _SPAN_ID = tag(1, DELIMITED) + varint(16), tag(2, DELIMITED) + varint(8)
_TRACE_STATE, _PARENT_SPAN_ID, _NAME, _KIND = tag(3, DELIMITED), tag(4, DELIMITED) + varint(8), tag(5, DELIMITED), tag(6, VARINT)
_START, _END, _ATTRIBUTES, _DROPPED_ATTRIBUTES = tag(7, FIXED64), tag(8, FIXED64), tag(9, DELIMITED), tag(10, VARINT)
_EVENTS, _DROPPED_EVENTS, _LINKS, _DROPPED_LINKS = tag(11, DELIMITED), tag(12, VARINT), tag(13, DELIMITED), tag(14, VARINT)
_STATUS, _FLAGS = tag(15, DELIMITED), tag(16, FIXED32)
_STATUS_MESSAGE, _STATUS_CODE = tag(2, DELIMITED), tag(3, VARINT)
_NO_STATUS = _STATUS + sized(b"")

# Event and Link
_EVENT_TIME, _EVENT_NAME, _EVENT_ATTRIBUTES, _EVENT_DROPPED = tag(1, FIXED64), tag(2, DELIMITED), tag(3, DELIMITED), tag(4, VARINT)
_LINK_TRACE_STATE, _LINK_ATTRIBUTES, _LINK_DROPPED, _LINK_FLAGS = tag(3, DELIMITED), tag(4, DELIMITED), tag(5, VARINT), tag(6, FIXED32)

_HAS_IS_REMOTE, _IS_REMOTE = 0x100, 0x200
_LOCAL_FLAGS = tuple(_FLAGS + fixed32(_HAS_IS_REMOTE | flags) for flags in range(0x100))
_REMOTE_FLAGS = tuple(_FLAGS + fixed32(_HAS_IS_REMOTE | _IS_REMOTE | flags) for flags in range(0x100))
"""The flags field of a span by its eight W3C trace flags: for a parent in this process, or none, and for one in another."""

_LONGEST_KEPT_NAME = 256

# By identity, because hashing a member of an enumeration runs Python code. The API counts from 0; the protocol keeps 0 for "unspecified".
_KINDS = {id(kind): _KIND + varint(kind.value + 1) for kind in SpanKind}


def encode_spans(resource: Mapping[str, Any], spans: Sequence[ReadableSpan | RecordingSpan]) -> bytes:
    """An ExportTraceServiceRequest, one scope per instrumentation.

    Raises OverflowError, struct.error or AttributeError for a span that no tracer makes, like one with an id of 17 bytes.
    """
    scopes: dict[InstrumentationScope | None, list[bytes]] = {}
    by_identity: dict[int, list[bytes]] = {}  # asked first: a scope's own hash and equality are Python code
    for span in spans:
        scope = span.instrumentation_scope
        items = by_identity.get(id(scope))
        if items is None:
            items = by_identity[id(scope)] = scopes.setdefault(scope, [])
        body = _span(span)
        items += (ITEM, varint(len(body)), body)
    return encode_request(resource, [_scope(scope, items) for scope, items in scopes.items()])


def _scope(scope: InstrumentationScope | None, items: list[bytes]) -> ScopeItems:
    if scope is None:
        return ScopeItems(b"", items)
    return ScopeItems(
        encode_scope(scope.name, scope.version or "") + encode_scope_attributes(scope.attributes or {}), items, scope.schema_url or ""
    )


# Where an ended span of the SDK's tracer holds what we need. Its properties say the same, but each runs Python code, and those of
# attributes, events and links copy, under a lock, what no longer changes: together as much as all the rest of the encoding.
read_fields = attrgetter(
    "_context", "_parent", "_name", "_kind", "_start_time", "_end_time", "_status._status_code", "_status._description",
    "_attributes._dict", "_attributes.dropped", "_events._dq", "_events.dropped", "_links._dq", "_links.dropped",
)  # fmt: skip
read_properties = attrgetter(
    "context", "parent", "name", "kind", "start_time", "end_time", "status.status_code", "status.description",
    "attributes", "dropped_attributes", "events", "dropped_events", "links", "dropped_links",
)  # fmt: skip


def _span(span: ReadableSpan | RecordingSpan) -> bytes:
    try:
        # The kit's own spans hold plain fields under the public names.
        fields = read_properties(span) if type(span) is RecordingSpan else read_fields(span)
    except AttributeError:  # made by other hands, or by an SDK that renamed its fields: slower, not wrong
        fields = read_properties(span)
    context, parent, name, kind, start, end, code, message = fields[:8]
    attributes, dropped_attributes, events, dropped_events, links, dropped_links = fields[8:]
    trace_id, span_id, _, trace_flags, trace_state, _ = context
    parts = [
        _TRACE_ID,
        trace_id.to_bytes(16, "big"),
        _SPAN_ID,
        span_id.to_bytes(8, "big"),
        _TRACE_STATE + sized(utf8(trace_state.to_header())) if trace_state else b"",
        _PARENT_SPAN_ID + parent.span_id.to_bytes(8, "big") if parent is not None else b"",
        _name(name) if type(name) is str and len(name) <= _LONGEST_KEPT_NAME else _new_name(name),
        _KINDS[id(kind)],
        _START,
        fixed64(start or 0),
        _END,
        fixed64(end or 0),
        encode_attributes(attributes, _ATTRIBUTES),
    ]
    if dropped_attributes:
        parts += (_DROPPED_ATTRIBUTES, varint(dropped_attributes))
    for event in events:
        parts += (_EVENTS, sized(_event(event)))
    if dropped_events:
        parts += (_DROPPED_EVENTS, varint(dropped_events))
    for link in links:
        parts += (_LINKS, sized(_link(link)))
    if dropped_links:
        parts += (_DROPPED_LINKS, varint(dropped_links))
    parts.append(_NO_STATUS if code is StatusCode.UNSET and not message else _status(code, message))
    parts.append((_REMOTE_FLAGS if parent is not None and parent.is_remote else _LOCAL_FLAGS)[trace_flags & 0xFF])
    return b"".join(parts)


def _new_name(name: object) -> bytes:
    # A name should be a pattern; some instrumentations put the address there.
    return _NAME + sized(utf8(redact_query_strings(name_of(name))))


_name = lru_cache(maxsize=1024)(_new_name)


def _status(code: StatusCode, message: str | None) -> bytes:
    number = code.value
    text = "" if message is None else redact_text(name_of(message))
    return _STATUS + sized((_STATUS_MESSAGE + sized(utf8(text)) if text else b"") + (_STATUS_CODE + varint(number) if number else b""))


def _event(event: Event) -> bytes:
    dropped = event.dropped_attributes
    return b"".join(
        (
            _EVENT_TIME,
            fixed64(event.timestamp),
            _EVENT_NAME,
            sized(utf8(name_of(event.name))),
            encode_attributes(event.attributes or {}, _EVENT_ATTRIBUTES),
            _EVENT_DROPPED + varint(dropped) if dropped else b"",
        )
    )


def _link(link: Link) -> bytes:
    context, dropped = link.context, link.dropped_attributes
    flags = _HAS_IS_REMOTE | (_IS_REMOTE if context.is_remote else 0) | context.trace_flags & 0xFF
    return b"".join(
        (
            _TRACE_ID,
            context.trace_id.to_bytes(16, "big"),
            _SPAN_ID,
            context.span_id.to_bytes(8, "big"),
            _LINK_TRACE_STATE + sized(utf8(context.trace_state.to_header())) if context.trace_state else b"",
            encode_attributes(link.attributes or {}, _LINK_ATTRIBUTES),
            _LINK_DROPPED + varint(dropped) if dropped else b"",
            _LINK_FLAGS + fixed32(flags),
        )
    )
