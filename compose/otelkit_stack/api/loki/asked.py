"""What an answer of Loki's API is made of."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass

from otelkit_stack.api.parameters import BadParameterError, duration_parameter, integer_parameter, time_parameter
from otelkit_stack.logql.reading import Lines
from otelkit_stack.logql.streams import Streams

HOUR_NS = 3_600_000_000_000
_MOST_LINES = 5000


@dataclass(frozen=True, slots=True)
class Asked:
    """The parameters of a request, the first value of each, and a connection to the store for it alone."""

    given: dict[str, str]
    selectors: list[str]
    """Every ``match[]`` and ``match``."""
    encoding_flags: str
    connection: sqlite3.Connection

    @property
    def lines(self) -> Lines:
        """The log lines."""
        return Lines(self.connection)

    @property
    def streams(self) -> Streams:
        """The streams of the log lines."""
        return Streams(self.connection)

    @property
    def query(self) -> str:
        """The parameter ``query``."""
        return self.given.get("query", "")

    def span(self, default_ns: int = HOUR_NS) -> tuple[int, int]:
        """``start`` and ``end`` in Unix nanoseconds: an hour up to now, unless they or ``since`` say otherwise."""
        end = time_parameter(self.given, "end", time.time_ns())
        start = time_parameter(self.given, "start", end - duration_parameter(self.given, "since", default_ns))
        if end < start:
            raise BadParameterError("end timestamp must not be before or equal to start time")
        return start, end

    def step(self, start_ns: int, end_ns: int) -> int:
        """``step`` in nanoseconds; 250 of them in the time unless it says otherwise."""
        second = 1_000_000_000
        step = duration_parameter(self.given, "step", max((end_ns - start_ns) // 250 // second, 1) * second)
        if step <= 0:
            raise BadParameterError("zero or negative query resolution step widths are not accepted. Try a positive integer")
        return step

    def limit(self, default: int = 100) -> int:
        """``limit``."""
        limit = integer_parameter(self.given, "limit", default)
        if limit > _MOST_LINES:
            reason = f"limit > max_entries_limit_per_query ({limit} > {_MOST_LINES})"
            raise BadParameterError(f"max entries limit per query exceeded, {reason}")
        return limit
