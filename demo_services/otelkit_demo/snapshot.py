"""What the live view shows, read from the stack's store: one frozen picture at a time."""

from __future__ import annotations

import time
from collections.abc import Mapping, Set
from dataclasses import dataclass

from otelkit_demo.alerts import Firing, firing_alerts
from otelkit_demo.environment import url
from otelkit_demo.faults import FlagFile
from otelkit_stack.queries import Queries
from otelkit_stack.records import ServiceRed, Trace

WINDOW_SECONDS = 15
"""How far back rates, errors and the slowest trace look."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One picture of the running demo. ``red`` is per service; ``slowest`` is the slowest trace of the window."""

    elapsed_s: float
    red: tuple[ServiceRed, ...]
    slowest: Trace | None
    faults: Mapping[str, float]
    alerts: tuple[Firing, ...]
    page: str

    def trace_url(self, trace_id: str) -> str:
        """Where the stack's page shows a trace."""
        return f"{self.page}/traces/{trace_id}"


class Observer:
    """Takes snapshots of one run; a secretive one does not tell which faults are set."""

    def __init__(self, queries: Queries, flags: FlagFile, stack_port: int, *, secretive: bool = False) -> None:
        self._queries = queries
        self._flags = flags
        self._page = url(stack_port)
        self._secretive = secretive
        self._begin = time.monotonic()
        self.begin_ns = time.time_ns()

    @property
    def elapsed_s(self) -> float:
        """Seconds since the services were ready."""
        return time.monotonic() - self._begin

    def look(self) -> Snapshot:
        """The picture of now."""
        since_ns = time.time_ns() - WINDOW_SECONDS * 1_000_000_000
        slowest = self._queries.slowest_trace(since_ns)
        return Snapshot(
            elapsed_s=self.elapsed_s,
            red=self._queries.red(since_ns),
            slowest=self._queries.trace(slowest.trace_id) if slowest else None,
            faults={} if self._secretive else dict(self._flags.shares()),
            alerts=firing_alerts(self._page),
            page=self._page,
        )

    def first_trace(self, services: Set[str] = frozenset()) -> str | None:
        """Address of the first trace of this run that all these services have a part in, once there is one."""
        newest = [summary for summary in self._queries.newest_traces(limit=50) if summary.start_ns >= self.begin_ns]
        for summary in reversed(newest):
            if summary.spans < len(services):
                continue
            trace = self._queries.trace(summary.trace_id) if services else None
            if trace is None or services <= {span.service for span in trace.spans}:
                return f"{self._page}/traces/{summary.trace_id}"
        return None

    def totals(self) -> tuple[ServiceRed, ...]:
        """Requests and errors per service since the services were ready."""
        return self._queries.red(self.begin_ns)
