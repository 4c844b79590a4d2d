"""OTLP attributes, resources and scopes as JSON and dictionary rows."""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass, field
from http import HTTPStatus

from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue

from otelkit.catalog.labels import SERVICE_NAME
from otelkit_stack.receiver.as_sent import Sent, sent
from otelkit_stack.receiver.body import RefusedError
from otelkit_stack.rows import ResourceRow, ScopeRow, content_id, json_text

UNKNOWN_SERVICE = "unknown_service"
"""Name of a service that does not say its own (semantic conventions, resource)."""

MOST_KNOWN = 10_000
"""Attributes that are remembered: three megabytes. Beyond it all are forgotten, and made again as they come."""
LONGEST_KNOWN = 200
"""Bytes of one: what is longer is seldom said twice."""


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
            return {pair.key: _value_of(pair) for pair in value.kvlist_value.values}
        case "bytes_value":
            return base64.b64encode(value.bytes_value).decode("ascii")
        case _:
            return None


def attributes_of(pairs: Sent) -> dict[str, object]:
    """The attributes by name; of one that is sent twice the last counts. Raises RefusedError (400) for bytes that are none."""
    return dict(map(_attribute, pairs))


def _attribute(encoded: bytes) -> tuple[str, object]:
    try:
        pair = KeyValue.FromString(encoded)
    except DecodeError as error:
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"The body is not an OTLP request in protobuf: {str(error)[:300]}") from error
    return pair.key, _value_of(pair)


def _value_of(pair: KeyValue) -> object:
    value = pair.value
    # Most values are texts, and asking a message which of its fields is set costs more than reading that one.
    return value.string_value or attribute_value(value)


def object_of(members: dict[str, str]) -> str:
    """The JSON object of these members."""
    return f"{{{','.join(members.values())}}}"


@dataclass(slots=True)
class KnownAttributes:
    """Attributes that were seen before, as JSON, by their bytes. Safe to use from several threads."""

    _members: dict[bytes, tuple[str, str]] = field(default_factory=dict)

    def members(self, pairs: Sent) -> dict[str, str]:
        """By name the members of a JSON object, such as ``"http.route":"/"``; of one that is sent twice the last counts.

        Raises RefusedError (400) for bytes that are no attribute.
        """
        known = self._members
        return dict([known.get(pair) or self._made(pair) for pair in pairs])

    def text(self, pairs: Sent) -> str:
        """All as a JSON object. Raises RefusedError (400)."""
        return object_of(self.members(pairs))

    def _made(self, pair: bytes) -> tuple[str, str]:
        name, value = _attribute(pair)
        made = name, f"{json_text(name)}:{json_text(value)}"
        if len(pair) <= LONGEST_KNOWN:
            if len(self._members) >= MOST_KNOWN:
                self._members.clear()
            self._members[pair] = made
        return made


def resource_row(attributes: dict[str, object]) -> ResourceRow:
    """The dictionary entry of a resource: the same attributes in any order are the same entry."""
    text = json_text(dict(sorted(attributes.items())))
    service = attributes.get(SERVICE_NAME.name)
    return ResourceRow(content_id("resource", text), service if isinstance(service, str) and service else UNKNOWN_SERVICE, text)


def scope_row(scope: InstrumentationScope) -> ScopeRow:
    """The dictionary entry of an instrumentation scope."""
    text = json_text(dict(sorted(attributes_of(sent(scope.attributes)).items())))
    return ScopeRow(content_id("scope", scope.name, scope.version, text), scope.name, scope.version, text)
