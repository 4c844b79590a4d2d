"""Records by resource and scope, as OTLP's JSON has them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from otelkit_stack.otlp_json import Json, key_values


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
