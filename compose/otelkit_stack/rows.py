"""Rows as the writer takes them: one named tuple per table, its fields being the columns."""

from __future__ import annotations

import json
import math
import struct
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple, Self


class ResourceRow(NamedTuple):
    """Table ``resource``."""

    id: int
    service: str
    attributes: str


class ScopeRow(NamedTuple):
    """Table ``scope``."""

    id: int
    name: str
    version: str
    attributes: str


class SpanRow(NamedTuple):
    """Table ``span``."""

    trace_id: bytes
    span_id: bytes
    parent_span_id: bytes | None
    resource_id: int
    scope_id: int
    service: str
    name: str
    kind: int
    start_ns: int
    duration_ns: int
    status: int
    status_message: str
    route: str | None
    attributes: str
    events: str
    links: str


class LogRow(NamedTuple):
    """Table ``log``."""

    time_ns: int
    severity_number: int
    severity: str
    body: str
    event_name: str
    trace_id: bytes | None
    span_id: bytes | None
    resource_id: int
    scope_id: int
    service: str
    attributes: str
    severity_sent: str
    observed_ns: int
    flags: int


class SeriesRow(NamedTuple):
    """Table ``series``."""

    id: int
    name: str
    labels: str


class SampleRow(NamedTuple):
    """One sample; :mod:`otelkit_stack.metrics` stores many as one."""

    series_id: int
    time_ms: int
    value: float


class SampleRows:
    """Samples in the order they came. A column each: a hundred thousand are three objects, and go into their log as they are."""

    __slots__ = ("series_ids", "times_ms", "values")

    def __init__(self) -> None:
        self.series_ids = array("q")
        self.times_ms = array("q")
        self.values = array("d")

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Iterator[SampleRow]:
        return map(SampleRow, self.series_ids, self.times_ms, self.values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SampleRows) and self.columns() == other.columns()

    __hash__ = None  # type: ignore[assignment]

    def __iadd__(self, rows: Iterable[SampleRow]) -> Self:
        for row in rows:
            self.add(*row)
        return self

    def add(self, series_id: int, time_ms: int, value: float) -> None:
        """One more. Raises OverflowError for a number of more than 64 bits."""
        self.series_ids.append(series_id)
        self.times_ms.append(time_ms)
        self.values.append(value)

    def columns(self) -> tuple[array[int], array[int], array[float]]:
        """Ids of series, times and values."""
        return self.series_ids, self.times_ms, self.values


class ExemplarRow(NamedTuple):
    """Table ``exemplar``."""

    series_id: int
    time_ns: int
    value: float | bytes
    trace_id: bytes
    span_id: bytes
    labels: str


class AlertChangeRow(NamedTuple):
    """Table ``alert_history``."""

    time_ms: int
    rule: str
    labels: str
    state_before: str
    state_after: str
    value: float | bytes


@dataclass(slots=True)
class Batch:
    """What one request brought: records, and the dictionary entries they point at."""

    resources: dict[int, ResourceRow] = field(default_factory=dict)
    scopes: dict[int, ScopeRow] = field(default_factory=dict)
    series: dict[int, SeriesRow] = field(default_factory=dict)
    spans: list[SpanRow] = field(default_factory=list)
    dimensions: list[tuple[str, ...]] = field(default_factory=list)
    """For each span, where they come from a receiver: those of its attributes that tell metrics of spans apart."""
    logs: list[LogRow] = field(default_factory=list)
    samples: SampleRows = field(default_factory=SampleRows)
    exemplars: list[ExemplarRow] = field(default_factory=list)
    alert_changes: list[AlertChangeRow] = field(default_factory=list)

    def __len__(self) -> int:
        """Number of records; dictionary entries do not count."""
        return len(self.spans) + len(self.logs) + len(self.samples) + len(self.exemplars) + len(self.alert_changes)


def content_id(*texts: str) -> int:
    """The id of a dictionary entry: a signed 64-bit hash of its content, the same in every process."""
    digest = blake2b("\0".join(texts).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


# json.dumps() would make one for each value.
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def json_text(value: object) -> str:
    """Compact JSON that SQLite's JSON functions read. Raises ValueError for a NaN or an infinity."""
    return _JSON.encode(value)


def stored_float(value: float) -> float | bytes:
    """The value as a column keeps it: SQLite turns a NaN into NULL, and staleness is told by the bits of a NaN."""
    return struct.pack(">d", value) if math.isnan(value) else value


def loaded_float(stored: float | bytes) -> float:
    """The value that :func:`stored_float` put away."""
    if isinstance(stored, bytes):
        (value,) = struct.unpack(">d", stored)
        return float(value)
    return float(stored)


STALE_NAN = loaded_float(bytes.fromhex("7ff0000000000002"))
"""The NaN by which Prometheus marks the end of a series (``model/value.StaleNaN``)."""


def is_stale(value: float) -> bool:
    """Whether the value is the staleness mark, and not a NaN that was measured."""
    return math.isnan(value) and struct.pack(">d", value) == struct.pack(">d", STALE_NAN)
