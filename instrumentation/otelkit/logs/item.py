"""A log record on its way to the OTLP exporter."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LogItem:
    """One record of the OpenTelemetry logs data model, without its resource.

    ``attributes`` hold only ``None``, ``bool``, ``int`` (of 64 bits), finite ``float``, ``str`` without lone surrogates,
    and lists and dicts (with ``str`` keys) of those: every value can be encoded.
    """

    time_ns: int
    """Unix time in nanoseconds, from the record."""
    severity_number: int
    severity_text: str
    """The level as its author named it, like ``WARNING``."""
    body: str
    attributes: dict[str, object]
    trace_id: int
    """0 where there was no valid context; so is ``span_id``."""
    span_id: int
    trace_flags: int
    event_name: str
    """Empty where the record is no event."""
