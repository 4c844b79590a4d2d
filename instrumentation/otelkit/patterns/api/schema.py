"""An OpenAPI document as operations that read messages."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

_NAME = re.compile(r"\{[^{}]*\}")
_HERE = "urn:otelkit:openapi"
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

Reader = Callable[[Any], str]
"""Gives the place in the schema that a message breaks, empty where it breaks none."""


class Operation:
    """A method of a path: what it takes and gives."""

    def __init__(self, takes: Reader | None, gives: dict[str, Reader | None]) -> None:
        self.takes = takes
        """What reads the body of a request, where there is a schema for it."""
        self._gives = gives

    def answer(self, status: int) -> tuple[bool, Reader | None]:
        """Whether the status is documented, and what reads its body, where there is a schema for it."""
        for key in (str(status), f"{status // 100}XX", "default"):
            if key in self._gives:
                return True, self._gives[key]
        return False, None


class Contract:
    """The operations of a document. Raises what a broken document raises: KeyError, TypeError, AttributeError."""

    def __init__(self, document: dict[str, Any]) -> None:
        from jsonschema import Draft202012Validator
        from referencing import Registry
        from referencing.jsonschema import DRAFT202012

        if str(document["openapi"]).startswith("3.0"):
            document = _nullable(document)
        self._document = document
        self._registry = Registry().with_resource(_HERE, DRAFT202012.create_resource(document))
        self._validator = Draft202012Validator
        servers = document.get("servers") or [{}]
        prefix = urlsplit(str(servers[0].get("url", ""))).path.rstrip("/")
        self._operations: dict[tuple[str, str], Operation] = {}
        for path, item in document["paths"].items():
            found, pointer = self._follow(item, f"#/paths/{_escaped(path)}")
            for method in _METHODS:
                if method in found:
                    # Django may call a parameter another name than the document does.
                    self._operations[method, _NAME.sub("{}", prefix + path)] = self._operation(found[method], f"{pointer}/{method}")

    def operation(self, method: str, route: str) -> Operation | None:
        """What the document says of this route, or None where it says nothing."""
        return self._operations.get((method.lower(), _NAME.sub("{}", route)))

    def _operation(self, operation: dict[str, Any], pointer: str) -> Operation:
        takes = None
        if "requestBody" in operation:
            takes = self._reader(*self._follow(operation["requestBody"], f"{pointer}/requestBody"), "request")
        gives = {
            str(status): self._reader(*self._follow(answer, f"{pointer}/responses/{_escaped(str(status))}"), f"responses/{status}")
            for status, answer in operation.get("responses", {}).items()
        }
        return Operation(takes, gives)

    def _reader(self, body: dict[str, Any], pointer: str, place: str) -> Reader | None:
        kinds = [kind for kind, said in body.get("content", {}).items() if kind.partition(";")[0].endswith("json") and "schema" in said]
        if not kinds:
            return None
        reference = f"{_HERE}{pointer}/content/{_escaped(kinds[0])}/schema"
        validator = self._validator({"$ref": reference}, registry=self._registry)

        def read(message: Any) -> str:
            error = next(validator.iter_errors(message), None)
            if error is None:
                return ""
            # The place in the schema, without the way through the reference: names of properties and keywords, no value.
            return "/".join([place, *(str(step) for step in error.relative_schema_path if step != "$ref")])

        return read

    def _follow(self, item: dict[str, Any], pointer: str) -> tuple[dict[str, Any], str]:
        for _ in range(20):
            if "$ref" not in item:
                break
            pointer = item["$ref"]
            found: Any = self._document
            for step in pointer.removeprefix("#/").split("/"):
                found = found[step.replace("~1", "/").replace("~0", "~")]
            item = found
        return item, pointer


def _escaped(step: str) -> str:
    # A JSON pointer (RFC 6901) within a fragment.
    return step.replace("~", "~0").replace("/", "~1").replace("%", "%25").replace("{", "%7B").replace("}", "%7D").replace(" ", "%20")


def _nullable(item: Any) -> Any:
    """OpenAPI 3.0 as 3.1 writes it: ``nullable`` is a type beside others, an exclusive bound is a number."""
    if isinstance(item, list):
        return [_nullable(each) for each in item]
    if not isinstance(item, dict):
        return item
    found = {key: _nullable(value) for key, value in item.items()}
    if found.get("nullable") is True:
        if isinstance(found.get("type"), str):
            found["type"] = [found["type"], "null"]
            if isinstance(found.get("enum"), list) and None not in found["enum"]:
                found["enum"] = [*found["enum"], None]
        else:
            del found["nullable"]
            return {"anyOf": [found, {"type": "null"}]}
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if found.get(exclusive) is True and bound in found:
            found[exclusive] = found.pop(bound)
        elif found.get(exclusive) is False:
            del found[exclusive]
    return found
