"""How a log record of OTLP is an entry of Loki: which of its attributes are the stream's labels, and what the rest is called.

Source: Loki 3.7's OTLP receiver with ``compose/loki/loki.yml``; the tests compare with a real one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from otelkit.catalog.logql import INDEX_LABELS
from otelkit_stack.logql.line import Line
from otelkit_stack.receiver.attributes import UNKNOWN_SERVICE
from otelkit_stack.selectors.matchers import Matcher

_INDEXED = tuple(label.name for label in INDEX_LABELS)
_LEVELS = ("trace", "debug", "info", "warn", "error", "fatal")
_WORDS = re.compile(r"\b(trace|debug|info|warn(?:ing)?|err(?:or)?|critical|fatal)\b", re.IGNORECASE)


def loki_name(name: str) -> str:
    """An attribute's name as Loki spells it."""
    text = re.sub(r"[^a-zA-Z0-9_]", "_", name)
    return f"key_{text}" if text[:1].isdigit() else text


def flattened(attributes: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Attributes as Loki's metadata; of a map each entry by itself."""
    for name, value in attributes.items():
        key = f"{prefix}_{loki_name(name)}" if prefix else loki_name(name)
        if isinstance(value, Mapping):
            yield from flattened(value, key)
        elif (text := _text(value)) != "":
            yield key, text


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case float():
            return f"{value:g}" if value != int(value) else f"{int(value)}"
        case int():
            return str(value)
        case _:
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource as its stream's labels, and what it adds to the metadata of each line."""

    stream: dict[str, str]
    metadata: dict[str, str]

    @classmethod
    def of(cls, attributes: Mapping[str, Any]) -> Resource:
        """Raises nothing: a resource without a name is of an unknown service."""
        stream = {loki_name(name): _text(attributes[name]) for name in _INDEXED if _text(attributes.get(name)) != ""}
        stream.setdefault("service_name", UNKNOWN_SERVICE)
        return cls(stream, dict(flattened({name: value for name, value in attributes.items() if name not in _INDEXED})))

    def fits(self, matchers: Iterable[Matcher]) -> bool:
        """Whether the stream fits every matcher."""
        return all(matcher.matches(self.stream.get(matcher.name, "")) for matcher in matchers)


def line_of(row: Mapping[str, Any] | Any, resource: Resource) -> Line:
    """A stored record as a line."""
    metadata = dict(resource.metadata)
    if row["scope_name"]:
        metadata["scope_name"] = row["scope_name"]
    if row["scope_version"]:
        metadata["scope_version"] = row["scope_version"]
    metadata.update(flattened(json.loads(row["scope_attributes"])))
    metadata.update(flattened(json.loads(row["attributes"])))
    if row["severity_number"]:
        metadata["severity_number"] = str(row["severity_number"])
    if row["severity_sent"]:
        metadata["severity_text"] = row["severity_sent"]
    if row["observed_ns"]:
        metadata["observed_timestamp"] = str(row["observed_ns"])
    if row["flags"]:
        metadata["flags"] = str(row["flags"])
    if row["trace_id"]:
        metadata["trace_id"] = row["trace_id"].hex()
    if row["span_id"]:
        metadata["span_id"] = row["span_id"].hex()
    metadata["detected_level"] = detected_level(row["severity_number"], metadata, row["body"])
    return Line.of(row["time_ns"], row["body"], resource.stream, metadata)


def detected_level(number: int, metadata: Mapping[str, str], text: str) -> str:
    """The level that Loki reads from a record: its severity, an attribute that says it, or a word in the line."""
    if 1 <= number <= 24:
        return _LEVELS[(number - 1) // 4]
    for name in ("level", "LEVEL", "Level", "log_level", "severity", "SEVERITY", "Severity", "severity_text", "lvl", "LVL"):
        if name in metadata:
            return _normal(metadata[name])
    found = _WORDS.search(text[:4096])
    return _normal(found[1]) if found else "unknown"


def _normal(word: str) -> str:
    lower = word.lower()
    same = {
        "warning": "warn",
        "err": "error",
        "information": "info",
        "informational": "info",
        "emerg": "critical",
        "trc": "trace",
        "dbg": "debug",
        "inf": "info",
        "wrn": "warn",
    }
    lower = same.get(lower, lower)
    return lower if lower in (*_LEVELS, "critical") else "unknown"


def resources_of(rows: Sequence[tuple[int, str]]) -> dict[int, Resource]:
    """Resources by id, from (id, JSON of the attributes)."""
    return {key: Resource.of(json.loads(text)) for key, text in rows}
