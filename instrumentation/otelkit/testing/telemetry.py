"""What the kit of this process has sent, written and passed on so far."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.registry import CollectorRegistry

from otelkit import startup
from otelkit.errors import OtelkitError
from otelkit.metrics.pull import PullCollector
from otelkit.testing.keeping import HeaderKeeper, LineKeeper
from otelkit.testing.memory import MemorySender
from otelkit.testing.queries import check_query_budget, is_query, statement_rows
from otelkit.testing.received import Received

FLUSH_SECONDS = 5.0


class Telemetry(Received):
    """What the kit has sent so far. Each property flushes first."""

    def __init__(self, runtime: startup.Runtime, sender: MemorySender, lines: LineKeeper, headers: HeaderKeeper) -> None:
        super().__init__(())
        self.runtime = runtime
        self._sender = sender
        self._lines = lines
        self._headers = headers

    def flush(self) -> None:
        """Waits until everything recorded so far has been sent. Raises OtelkitError when that takes too long."""
        if not self.runtime.exporter.flush(FLUSH_SECONDS):
            raise OtelkitError(f"The exporter did not flush within {FLUSH_SECONDS:g} s.")

    def bodies(self, signal: str) -> list[bytes]:
        """The requests of one signal (traces, metrics or logs) that were sent, in order."""
        self.flush()
        return self._sender.of(signal)

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Log lines as the kit writes them to standard output, wherever the settings send them: timestamp, level, message, ..."""
        return [json.loads(text) for text in self._lines.json]

    @property
    def outgoing_headers(self) -> list[dict[str, str]]:
        """Of each outbound call, the headers that the kit added: traceparent, tracestate, baggage."""
        return list(self._headers.kept)

    @property
    def metrics_page(self) -> str:
        """What ``/metrics`` would show now, in OpenMetrics, whether it is served or not."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(PullCollector(self.runtime.aggregator, self.runtime.resource))
        return str(generate_latest(registry).decode())  # type: ignore[no-untyped-call]

    def outputs(self) -> Iterator[tuple[str, Any]]:
        """Everything that left or could be asked for, each with the words for its place."""
        yield from super().outputs()
        for line in self.lines:
            yield f"log line {line.get('message')!r}", line
        for text in self._lines.texts:
            yield "console line", text
        for headers in self.outgoing_headers:
            yield "headers of an outbound call", headers
        yield "/metrics", self.metrics_page

    @contextmanager
    def assert_queries(self, *, exactly: int | None = None, at_most: int | None = None) -> Iterator[None]:
        """Fails unless the block runs ``exactly`` so many queries, or ``at_most`` so many; BEGIN, SAVEPOINT and the like do not count.

        Requests of the test client inside the block count, and so do queries without any request. Needs every trace to be kept, which is
        the default. Raises AssertionError with every statement, how often it ran and which line ran it, and TypeError unless exactly one
        of both limits is given.
        """
        if (exactly is None) == (at_most is None):
            raise TypeError("assert_queries() takes exactly one of exactly=... and at_most=...")
        before = len(self.spans)
        with self.runtime.tracer.start_as_current_span("assert_queries"):
            yield
        queries = [span for span in self.spans[before:] if is_query(span)]
        wanted = f"exactly {exactly}" if at_most is None else f"at most {at_most}"
        is_met = len(queries) == exactly if at_most is None else len(queries) <= at_most
        if not is_met:
            raise AssertionError("\n".join([f"{len(queries)} queries ran, {wanted} should have:", *statement_rows(queries)]))

    @contextmanager
    def query_budget(self, at_most: int, name: str | None = None) -> Iterator[None]:
        """Fails where a request inside the block runs more than ``at_most`` queries. See :meth:`assert_query_budget`."""
        before = len(self.spans)
        yield
        check_query_budget(self.spans[before:], at_most, name)
