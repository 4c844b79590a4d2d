"""A line on its way through the stages of a query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

ERROR, ERROR_DETAILS = "__error__", "__error_details__"
_EXTRACTED = "_extracted"


class Origin(IntEnum):
    """Where a label of a line comes from; Loki's clients show them apart."""

    STREAM = 0
    METADATA = 1
    PARSED = 2


@dataclass(slots=True)
class Line:
    """One log line with its labels. A stage changes it in place."""

    time_ns: int
    text: str
    labels: dict[str, str]
    origins: dict[str, Origin]
    error: str = ""
    error_details: str = ""
    given: frozenset[str] = field(default_factory=frozenset)
    """Names of stream and metadata, which parsers must not overwrite."""

    @classmethod
    def of(cls, time_ns: int, text: str, stream: Mapping[str, str], metadata: Mapping[str, str]) -> Line:
        """A line as it is stored."""
        origins = dict.fromkeys(stream, Origin.STREAM) | dict.fromkeys(metadata, Origin.METADATA)
        return cls(time_ns, text, {**stream, **metadata}, origins, given=frozenset(origins))

    def get(self, name: str) -> str:
        """The label's value; empty for one that is not there."""
        if name == ERROR:
            return self.error
        if name == ERROR_DETAILS:
            return self.error_details
        return self.labels.get(name, "")

    def set(self, name: str, value: str) -> None:
        """Gives a label a value of the query's making; an empty one takes it away."""
        if name == ERROR:
            self.error = value
        elif name == ERROR_DETAILS:
            self.error_details = value
        elif value:
            self.labels[name] = value
            self.origins[name] = Origin.PARSED
        else:
            self.remove(name)

    def extract(self, name: str, value: str) -> None:
        """A label that a parser found: where stream or metadata has one of the name, it gets another."""
        self.set(name + _EXTRACTED if name in self.given else name, value)

    def extract_or_empty(self, name: str, value: str) -> None:
        """The same for a label that was asked for by name: it is there even where it is empty."""
        self.extract(name, value)
        if not value and name not in self.given:
            self.labels[name] = ""
            self.origins[name] = Origin.PARSED

    def remove(self, name: str) -> None:
        """Takes a label away."""
        self.labels.pop(name, None)
        self.origins.pop(name, None)

    def fail(self, kind: str, details: str) -> None:
        """Notes that a stage could not read the line; the line goes on, with ``__error__``."""
        self.error, self.error_details = kind, details

    def of_origin(self, origin: Origin) -> dict[str, str]:
        """The labels that come from there."""
        return {name: value for name, value in self.labels.items() if self.origins[name] is origin}

    def all_labels(self) -> dict[str, str]:
        """Every label, errors among them."""
        if not self.error:
            return self.labels
        return {**self.labels, ERROR: self.error, **({ERROR_DETAILS: self.error_details} if self.error_details else {})}
