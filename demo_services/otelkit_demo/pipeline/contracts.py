"""``python -m otelkit_demo.pipeline.contracts OLD NEW``: what a new OpenAPI document breaks for those who call by the old one.

Each is a file, JSON or YAML. Callers may go on sending what they sent, and must go on getting what they got.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from otelkit_demo.errors import DemoError

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
Document = Mapping[str, Any]


def breaks(old: Document, new: Document) -> Iterator[str]:
    """Each thing that the new document takes from callers: a sentence with the operation and the place."""
    for path, method, before in _operations(old):
        where = f"{method.upper()} {path}"
        after = new.get("paths", {}).get(path, {}).get(method)
        if after is None:
            yield f"{where} is gone."
            continue
        yield from (f"{where}: {said}" for said in _asked(_Side(old, before), _Side(new, after)))
        yield from (f"{where}: {said}" for said in _answered(_Side(old, before), _Side(new, after)))


class _Side:
    """One operation in its document, whose references are followed."""

    def __init__(self, document: Document, operation: Document) -> None:
        self._document = document
        self.operation = operation

    def parameters(self) -> dict[tuple[str, str], Document]:
        """By place and name."""
        found = [self.followed(parameter) for parameter in self.operation.get("parameters", ())]
        return {(parameter["in"], parameter["name"]): parameter for parameter in found}

    def body(self, holder: Document | None) -> Document:
        """The schema of the JSON in a request or an answer, empty where there is none."""
        content = self.followed(holder or {}).get("content", {})
        return self.followed(next((kind["schema"] for name, kind in content.items() if "json" in name and "schema" in kind), {}))

    def followed(self, node: Document) -> Document:
        """The node, or what it refers to in this document."""
        while "$ref" in node:
            target: Any = self._document
            for step in str(node["$ref"]).removeprefix("#/").split("/"):
                target = target[step]
            node = target
        return node


def _asked(old: _Side, new: _Side) -> Iterator[str]:
    before = old.parameters()
    for key, parameter in new.parameters().items():
        if parameter.get("required") and not before.get(key, {}).get("required"):
            yield f"the {key[0]} parameter {key[1]} must be sent now."
    mine, yours = old.body(old.operation.get("requestBody")), new.body(new.operation.get("requestBody"))
    for name in sorted(set(yours.get("required", ())) - set(mine.get("required", ()))):
        yield f"{name} must be sent now."
    yield from _kinds("sent", old, mine, new, yours)


def _answered(old: _Side, new: _Side) -> Iterator[str]:
    for status, answer in old.operation.get("responses", {}).items():
        if not str(status).startswith("2"):
            continue
        if status not in new.operation.get("responses", {}):
            yield f"it does not answer {status} any more."
            continue
        mine, yours = old.body(answer), new.body(new.operation["responses"][status])
        for name in sorted(set(mine.get("properties", {})) - set(yours.get("properties", {}))):
            yield f"{name} is gone from its answer {status}."
        yield from _kinds(f"answered with {status}", old, mine, new, yours)


def _kinds(when: str, old: _Side, mine: Document, new: _Side, yours: Document) -> Iterator[str]:
    for name, before in mine.get("properties", {}).items():
        if name in yours.get("properties", {}):
            was, now = old.followed(before).get("type"), new.followed(yours["properties"][name]).get("type")
            if was != now:
                yield f"{name} was {was} and is {now} when {when}."


def _operations(document: Document) -> Iterator[tuple[str, str, Document]]:
    for path, item in document.get("paths", {}).items():
        for method in _METHODS:
            if method in item:
                yield path, method, item[method]


def read(file: Path) -> Document:
    """The document in a file. Raises DemoError where there is none."""
    try:
        content = yaml.safe_load(file.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise DemoError(f"{file} cannot be read: {error}") from error
    if not isinstance(content, dict) or "paths" not in content:
        raise DemoError(f"{file} is no OpenAPI document: it has no paths.")
    return content


def main(arguments: Sequence[str]) -> int:
    """Exit code: 0 where nothing breaks, 1 with each thing that does, 2 for a wrong call or a file that is no document."""
    if len(arguments) != 2:
        print("usage: python -m otelkit_demo.pipeline.contracts OLD NEW", file=sys.stderr)
        return 2
    try:
        old, new = (read(Path(name)) for name in arguments)
    except DemoError as error:
        print(error, file=sys.stderr)
        return 2
    found = list(breaks(old, new))
    print("\n".join(found) if found else "Nothing breaks.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
