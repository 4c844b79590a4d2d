"""Log records as an OTLP request, written straight to bytes.

Source: opentelemetry/proto/logs/v1/logs.proto and collector/logs/v1/logs_service.proto.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from otelkit.export.attributes import encode_attributes
from otelkit.export.envelope import ITEM, ScopeItems, encode_request, encode_scope
from otelkit.export.values import encode_text, utf8
from otelkit.export.wire import DELIMITED, FIXED32, FIXED64, VARINT, fixed32, fixed64, sized, tag, varint
from otelkit.logs.item import LogItem

_TIME, _SEVERITY_NUMBER, _SEVERITY_TEXT = tag(1, FIXED64), tag(2, VARINT), tag(3, DELIMITED)
_BODY, _ATTRIBUTES, _FLAGS = tag(5, DELIMITED), tag(6, DELIMITED), tag(8, FIXED32)
_TRACE_ID, _SPAN_ID = tag(9, DELIMITED) + varint(16), tag(10, DELIMITED) + varint(8)
_OBSERVED_TIME, _EVENT_NAME = tag(11, FIXED64), tag(12, DELIMITED)

LOGGER = "logger"
"""The attribute that becomes the name of the scope."""


def encode_logs(resource: Mapping[str, Any], items: Sequence[LogItem]) -> bytes:
    """An ExportLogsServiceRequest, one scope per logger."""
    scopes: dict[str, list[bytes]] = {}
    for item in items:
        body = _record(item)
        scopes.setdefault(str(item.attributes.get(LOGGER, "")), []).extend((ITEM, varint(len(body)), body))
    return encode_request(resource, [ScopeItems(encode_scope(logger), records) for logger, records in scopes.items()])


def _record(item: LogItem) -> bytes:
    attributes = item.attributes
    if LOGGER in attributes:
        attributes = {key: value for key, value in attributes.items() if key != LOGGER}
    time = fixed64(item.time_ns)
    return b"".join(
        (
            _TIME,
            time,
            _SEVERITY_NUMBER,
            varint(item.severity_number),
            _SEVERITY_TEXT,
            sized(utf8(item.severity_text)),
            _BODY,
            sized(encode_text(item.body)),
            encode_attributes(attributes, _ATTRIBUTES),
            _FLAGS + fixed32(item.trace_flags) if item.trace_flags else b"",
            _TRACE_ID + item.trace_id.to_bytes(16, "big") if item.trace_id else b"",
            _SPAN_ID + item.span_id.to_bytes(8, "big") if item.span_id else b"",
            _OBSERVED_TIME,
            time,
            _EVENT_NAME + sized(utf8(item.event_name)) if item.event_name else b"",
        )
    )
