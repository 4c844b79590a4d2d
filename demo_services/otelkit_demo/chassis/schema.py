"""The OpenAPI schema, beyond what Django REST framework knows: every refusal is a problem body."""

from __future__ import annotations

from typing import Any

from otelkit_demo.chassis.problems import MEDIA_TYPE

_PROBLEM = {
    "type": "object",
    "description": "What went wrong (RFC 9457).",
    "properties": {
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
    "required": ["title", "status"],
}
_SAID = {
    "400": "The request cannot be read.",
    "401": "There is no token, or it is not believed.",
    "403": "The token does not allow this.",
    "404": "There is no such thing.",
    "405": "Not with this method.",
    "406": "Only JSON is spoken.",
    "409": "Not as things are now.",
    "415": "Only JSON is read.",
    "422": "The request is understood, and wrong.",
    "429": "Too often.",
    "500": "The service failed.",
    "502": "Another service failed.",
    "503": "The service has too much to do, or cannot do it now.",
    "504": "Nobody waits for the answer any more.",
}


def add_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A hook of drf-spectacular: adds the refusals to every operation that does not describe them itself."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = _PROBLEM
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path in result["paths"].values():
        for operation in path.values():
            for status, said in _SAID.items():
                operation["responses"].setdefault(status, {"description": said, "content": content})
    return result
