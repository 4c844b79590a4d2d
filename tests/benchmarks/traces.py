"""How long Tempo's questions take over many spans, in one run:  python -m tests.benchmarks.traces [--quick]

Traces of ten spans of five services, evenly over a day. The least of some rounds counts, by the clock and by the processor: on a machine
that others use the second is the truer one. Searches ask for the newest fifty traces, numbers over time for the last hour.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from otelkit_stack.database import open_reader
from otelkit_stack.queries import Queries
from otelkit_stack.rows import Batch, ResourceRow, ScopeRow, SpanRow, content_id, json_text
from otelkit_stack.store import Store
from otelkit_stack.traceql import syntax as s
from otelkit_stack.traceql.metrics import over_time
from otelkit_stack.traceql.parsing import parse
from otelkit_stack.traceql.reading import Source
from otelkit_stack.traceql.search import Window, search
from otelkit_stack.traceql.steps import aligned

SPANS = 1_000_000
PER_TRACE = 10
NEWEST = 50
HOUR_NS = 3_600_000_000_000
SERVICES = ("gateway", "orders", "catalog", "inventory", "payments")
QUERIES = (
    "{ }",
    "{ status = error }",
    "{ duration > 400ms }",
    '{ name = "GET /route7/{pk}" }',
    '{ span.http.route = "/route7/{pk}" }',
    "{ span.http.response.status_code >= 500 }",
    '{ resource.service.name = "orders" && kind = server && duration > 200ms }',
    '{ resource.service.name = "orders" } >> { duration > 200ms }',
    "{ kind = server } | count() > 4",
    "{ .nothing = 1 }",
    "{ } | rate()",
    "{ status = error } | rate() by (resource.service.name)",
    "{ kind = server } | quantile_over_time(duration, 0.95) by (name)",
    "{ kind = server } | rate() by (span.http.route)",
)
_BATCH = 500


def spans_of(traces: int, end_ns: int) -> Iterator[Batch]:
    """So many traces, some hundred in a batch."""
    chance = random.Random(1)
    resources = {
        service: ResourceRow(content_id(service), service, json_text({"service.instance.id": "laptop:0", "service.name": service}))
        for service in SERVICES
    }
    scope = ScopeRow(content_id("otelkit"), "otelkit", "0.1", "{}")
    for first in range(0, traces, _BATCH):
        batch = Batch({row.id: row for row in resources.values()}, {scope.id: scope})
        for number in range(first, min(first + _BATCH, traces)):
            start_ns = end_ns - 24 * HOUR_NS + (number + 1) * 24 * HOUR_NS // traces
            batch.spans.extend(_trace(chance, start_ns, resources, scope.id))
        yield batch


def _trace(chance: random.Random, start_ns: int, resources: dict[str, ResourceRow], scope_id: int) -> Iterator[SpanRow]:
    """Each service's request, and what it asked its database."""
    trace_id, parent, failed = chance.randbytes(16), None, chance.random() < 0.05
    for place in range(PER_TRACE):
        resource = resources[SERVICES[place // 2]]
        is_server = place % 2 == 0
        status = 500 if failed and not place else 200
        route = f"/route{chance.randrange(20)}/{{pk}}" if is_server else None
        served: dict[str, object] = {
            "http.request.method": "GET",
            "http.response.status_code": status,
            "http.route": route,
            "url.path": "/x",
        }
        asked: dict[str, object] = {"db.namespace": "orders", "db.query.text": "SELECT * FROM orders WHERE id = %s", "server.port": 5432}
        span_id = chance.randbytes(8)
        yield SpanRow(
            trace_id=trace_id,
            span_id=span_id,
            parent_span_id=parent,
            resource_id=resource.id,
            scope_id=scope_id,
            service=resource.service,
            name=f"GET {route}" if is_server else "SELECT orders",
            kind=2 if is_server else 3,
            start_ns=start_ns + place * 1_000_000,
            duration_ns=int(chance.expovariate(1 / 50e6)) + 1_000,
            status=2 if status == 500 else 0,
            status_message="",
            route=route,
            attributes=json_text(served if is_server else asked),
            events="[]",
            links="[]",
        )
        parent = span_id


def filled(folder: Path, spans: int, end_ns: int) -> tuple[Path, float]:
    """A database of so many spans, and how many of them it took in each second."""
    began = time.perf_counter()
    with Store(folder, retention_s=None) as store:
        for batch in spans_of(spans // PER_TRACE, end_ns):
            store.submit(batch)
            store.flush(60)
        return store.file, spans / (time.perf_counter() - began)


def answered(file: Path, query: str, end_ns: int) -> int:
    """Ask as the API does, with a connection of its own; how many traces or series there are."""
    connection = open_reader(file)
    try:
        body, source = parse(query).body, Source(connection)
        if isinstance(body, s.Pipeline):
            return len(search(body, source, Window(0, end_ns), limit=NEWEST))
        return len(over_time(body, source, aligned(end_ns - HOUR_NS, end_ns, 15_000_000_000)))
    finally:
        connection.close()


def milliseconds(ask: Callable[[], object], rounds: int) -> tuple[float, float]:
    """The least time of some rounds, by the clock and by the processor."""
    clock, processor = [], []
    for _ in range(rounds):
        began = time.perf_counter(), time.process_time()
        ask()
        clock.append(time.perf_counter() - began[0])
        processor.append(time.process_time() - began[1])
    return min(clock) * 1000, min(processor) * 1000


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table: a row for each question."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few spans, one round: whether it runs, not how fast")
    quick = parser.parse_args(arguments).quick
    spans, rounds = (1_000, 1) if quick else (SPANS, 3)
    end_ns = time.time_ns()
    with tempfile.TemporaryDirectory() as folder:
        file, rate = filled(Path(folder), spans, end_ns)
        print(f"{spans} spans, {rate:.0f} taken in each second, {file.stat().st_size / spans:.0f} bytes for each")
        print("| question | found | ms | ms of the processor |\n|---|---:|---:|---:|")
        for query in QUERIES:
            found = answered(file, query, end_ns)  # once for the caches
            clock, processor = milliseconds(lambda asked=query: answered(file, asked, end_ns), rounds)  # type: ignore[misc]
            print(f"| `{query}` | {found} | {clock:.1f} | {processor:.1f} |", flush=True)
        with Queries(file) as queries:
            newest = queries.newest_traces(NEWEST)
            for title, ask in (
                (f"the page's newest {NEWEST}", lambda: queries.newest_traces(NEWEST)),
                ("one waterfall", lambda: queries.trace(newest[0].trace_id)),
            ):
                clock, processor = milliseconds(ask, rounds)
                print(f"| {title} | {len(newest)} | {clock:.1f} | {processor:.1f} |", flush=True)


if __name__ == "__main__":
    main()
