"""Attributes, resources and scopes as OTLP's JSON has them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
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


def by_origin(
    records: Iterable[tuple[str, tuple[str, str, str], Json]], *, resources: str, scopes: str, items: str, loads: Callable[[str], Any]
) -> Json:
    """One request of records, each given with its resource's JSON, its scope's name, version and JSON, and itself.

    ``resources``, ``scopes`` and ``items`` are the names of the lists in the request.
    """
    grouped: dict[str, dict[tuple[str, str, str], list[Json]]] = {}
    for resource, scope, item in records:
        grouped.setdefault(resource, {}).setdefault(scope, []).append(item)
    return {
        resources: [
            {
                "resource": {"attributes": key_values(loads(resource))},
                scopes: [
                    {"scope": {"name": name, "version": version, "attributes": key_values(loads(attributes))}, items: its}
                    for (name, version, attributes), its in of_resource.items()
                ],
            }
            for resource, of_resource in grouped.items()
        ]
    }
