"""Attributes as OTLP's JSON has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]


def key_values(attributes: Mapping[str, object]) -> list[Json]:
    """Attributes as a list of ``KeyValue``."""
    return [{"key": key, "value": any_value(value)} for key, value in attributes.items()]


def any_value(value: object) -> Json:
    """A value as an ``AnyValue``."""
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case list():
            return {"arrayValue": {"values": [any_value(item) for item in value]}}
        case dict():
            return {"kvlistValue": {"values": key_values(value)}}
        case None:
            return {}
    return {"stringValue": str(value)}
