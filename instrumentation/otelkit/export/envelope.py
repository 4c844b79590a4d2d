"""What is around the items of an OTLP request: the resource, and the scope that made them. Every signal nests them alike.

Source: opentelemetry/proto/trace/v1/trace.proto (ResourceSpans, ScopeSpans), logs.proto and metrics.proto use the same field numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from otelkit.export.attributes import encode_attributes
from otelkit.export.values import utf8
from otelkit.export.wire import DELIMITED, sized, tag

ITEM = tag(2, DELIMITED)
"""Field of a span in ScopeSpans, a record in ScopeLogs, a metric in ScopeMetrics."""

_RESOURCE_ITEMS = tag(1, DELIMITED)  # of the request
_RESOURCE, _SCOPE_ITEMS = tag(1, DELIMITED), tag(2, DELIMITED)
_RESOURCE_ATTRIBUTES = tag(1, DELIMITED)
_SCOPE, _SCHEMA_URL = tag(1, DELIMITED), tag(3, DELIMITED)
_SCOPE_NAME, _SCOPE_VERSION, _SCOPE_ATTRIBUTES = tag(1, DELIMITED), tag(2, DELIMITED), tag(3, DELIMITED)


@dataclass(frozen=True, slots=True)
class ScopeItems:
    """Items of one instrumentation scope: its InstrumentationScope message, and each item as tag, length and message."""

    scope: bytes
    items: Sequence[bytes]
    schema_url: str = ""


@lru_cache(maxsize=256)
def encode_scope(name: str, version: str = "") -> bytes:
    """An InstrumentationScope."""
    return (_SCOPE_NAME + sized(utf8(name)) if name else b"") + (_SCOPE_VERSION + sized(utf8(version)) if version else b"")


def encode_scope_attributes(attributes: Mapping[str, Any]) -> bytes:
    """What an InstrumentationScope with attributes has behind :func:`encode_scope`."""
    return encode_attributes(attributes, _SCOPE_ATTRIBUTES)


def encode_request(resource: Mapping[str, Any], scopes: Iterable[ScopeItems]) -> bytes:
    """An Export...ServiceRequest with one resource."""
    parts = [_RESOURCE, sized(encode_attributes(resource, _RESOURCE_ATTRIBUTES))]
    for scope in scopes:
        schema_url = _SCHEMA_URL + sized(utf8(scope.schema_url)) if scope.schema_url else b""
        parts += (_SCOPE_ITEMS, sized(b"".join((_SCOPE, sized(scope.scope), *scope.items, schema_url))))
    return _RESOURCE_ITEMS + sized(b"".join(parts))
