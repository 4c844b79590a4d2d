"""Values of TraceQL as protobuf's JSON writes an OTLP ``AnyValue``."""

from __future__ import annotations

from otelkit_stack.traceql.values import Array, Duration, Value, single, text_of


def any_value(value: Value) -> dict[str, object]:
    """The value; what OTLP has no type for, and what is not there, as a text."""
    match single(value):
        case bool() as flag:
            return {"boolValue": flag}
        case Duration() as duration:
            return {"stringValue": text_of(duration)}
        case int() as number:
            return {"intValue": str(number)}
        case float() as number:
            return {"doubleValue": number}
        case Array() as array:
            return {"arrayValue": {"values": [any_value(item) for item in array]}}
        case other:
            return {"stringValue": text_of(other)}


def key_value(key: str, value: Value) -> dict[str, object]:
    """One attribute."""
    return {"key": key, "value": any_value(value)}


def present(**fields: object) -> dict[str, object]:
    """The fields that are not empty: protobuf's JSON leaves the others out."""
    return {name: value for name, value in fields.items() if value not in ("", 0, [], None)}
