"""The OpenAPI schema, beyond what Django REST framework knows: which token an operation needs, and that every refusal is a problem body."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

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
    "402": "The bank declines.",
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


class ServiceTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its registry has no types
    """A service's token, as the schema calls it."""

    target_class = "otelkit_demo.chassis.tokens.ServiceToken"
    name = "serviceToken"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:  # noqa: ARG002 - the library's signature
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class Schema(AutoSchema):
    """``DEFAULT_SCHEMA_CLASS``: an operation needs a token where its view names a scope for it."""

    def get_auth(self) -> list[dict[str, Any]]:
        needs_none = self.method not in getattr(self.view, "scopes", {})
        return [] if needs_none else super().get_auth()


def add_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A hook of drf-spectacular: adds the refusals to every operation that does not describe them itself."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = _PROBLEM
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    components["responses"] = {f"Problem{status}": {"description": said, "content": content} for status, said in _SAID.items()}
    for path in result["paths"].values():
        for operation in path.values():
            for status in _SAID:
                operation["responses"].setdefault(status, {"$ref": f"#/components/responses/Problem{status}"})
    return result
