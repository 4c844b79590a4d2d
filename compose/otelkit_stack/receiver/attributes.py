"""OTLP attributes, resources and scopes as JSON and dictionary rows."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue

from otelkit.catalog.labels import SERVICE_NAME
from otelkit_stack.rows import ResourceRow, ScopeRow, content_id, json_text

UNKNOWN_SERVICE = "unknown_service"
"""Name of a service that does not say its own (semantic conventions, resource)."""


def attribute_value(value: AnyValue) -> object:
    """The value as JSON has it: bytes as base64, and the three floats that JSON lacks as ``"NaN"``, ``"Infinity"``, ``"-Infinity"``."""
    match value.WhichOneof("value"):
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case "int_value":
            return value.int_value
        case "double_value":
            number = value.double_value
            if math.isfinite(number):
                return number
            return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"
        case "array_value":
            return [attribute_value(item) for item in value.array_value.values]
        case "kvlist_value":
            return attributes_of(value.kvlist_value.values)
        case "bytes_value":
            return base64.b64encode(value.bytes_value).decode("ascii")
        case _:
            return None


def attributes_of(pairs: Iterable[KeyValue]) -> dict[str, object]:
    """The attributes by name; of one that is sent twice the last counts."""
    attributes: dict[str, object] = {}
    for pair in pairs:
        value = pair.value
        # Most values are texts, and asking a message which of its fields is set costs more than reading that one.
        attributes[pair.key] = value.string_value or attribute_value(value)
    return attributes


def resource_row(attributes: dict[str, object]) -> ResourceRow:
    """The dictionary entry of a resource: the same attributes in any order are the same entry."""
    text = json_text(dict(sorted(attributes.items())))
    service = attributes.get(SERVICE_NAME.name)
    return ResourceRow(content_id("resource", text), service if isinstance(service, str) and service else UNKNOWN_SERVICE, text)


def scope_row(scope: InstrumentationScope) -> ScopeRow:
    """The dictionary entry of an instrumentation scope."""
    text = json_text(dict(sorted(attributes_of(scope.attributes).items())))
    return ScopeRow(content_id("scope", scope.name, scope.version, text), scope.name, scope.version, text)
