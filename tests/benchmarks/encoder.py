"""What it costs to encode a span, beside the SDK's own encoder, in one run:  python -m tests.benchmarks.encoder

Both encode the same batches of 256 spans: requests with ten attributes, four of them different in each span. Instructions are counted by
callgrind where valgrind is installed, as the difference of two runs, so that start-up and warming are in neither number.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans as encode_with_sdk
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.trace import SpanKind, Status, StatusCode

from otelkit.export.spans import encode_spans

BATCH = 256
COUNTS = (2, 12)
"""Batches of the two runs under callgrind."""
_ATTRIBUTES = {
    "http.request.method": "GET",
    "http.route": "/items/{pk}",
    "url.scheme": "http",
    "server.address": "shop.example.org",
    "server.port": 8000,
    "network.protocol.version": "1.1",
}

Encode = Callable[[Sequence[ReadableSpan]], bytes]


class _Collector(SpanProcessor):
    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        self.spans.append(span)


def batches(count: int) -> list[list[ReadableSpan]]:
    """Batches of spans as the SDK's tracer makes them."""
    provider, collector = TracerProvider(resource=_RESOURCE, shutdown_on_exit=False), _Collector()
    provider.add_span_processor(collector)
    tracer = provider.get_tracer("otelkit", "1.0")
    for number in range(count * BATCH):
        status = 500 if number % 50 == 0 else 200
        attributes = {
            **_ATTRIBUTES,
            "url.path": f"/items/{number}",
            "http.response.status_code": status,
            "client.port": 30_000 + number,
            "db.duration": number / 7,
        }
        with tracer.start_as_current_span("GET /items/{pk}", kind=SpanKind.SERVER, attributes=attributes) as span:
            if status == 500:
                span.set_status(Status(StatusCode.ERROR, "it broke"))
    return [collector.spans[start : start + BATCH] for start in range(0, len(collector.spans), BATCH)]


_RESOURCE = Resource({"service.name": "shop", "service.version": "1.0", "host.name": "a", "process.pid": 17})
ENCODERS: dict[str, Encode] = {
    "otelkit": lambda spans: encode_spans(_RESOURCE.attributes, spans),
    "sdk": lambda spans: encode_with_sdk(spans).SerializeToString(),
}


def microseconds(rounds: int, count: int) -> dict[str, float]:
    """The least processor time per span, of rounds in which the encoders take turns."""
    work = batches(count)
    best = dict.fromkeys(ENCODERS, float("inf"))
    for _ in range(rounds):
        for name, encode in ENCODERS.items():
            began = time.process_time_ns()
            for batch in work:
                encode(batch)
            best[name] = min(best[name], (time.process_time_ns() - began) / 1000 / (count * BATCH))
    return best


def instructions() -> dict[str, float]:
    """Instructions per span. Raises CalledProcessError where valgrind does not run."""
    runs = [(name, count) for name in ENCODERS for count in COUNTS]
    with ThreadPoolExecutor(2) as pool:
        found = dict(zip(runs, pool.map(lambda run: _count(*run), runs), strict=True))
    few, many = COUNTS
    return {name: (found[name, many] - found[name, few]) / ((many - few) * BATCH) for name in ENCODERS}


def _count(name: str, count: int) -> int:
    with tempfile.TemporaryDirectory(prefix="otelkit-bench-") as folder:
        output = Path(folder) / "callgrind.out"
        # The spans are made before, in both runs as many: only the encoding differs.
        worker = [sys.executable, "-m", "tests.benchmarks.encoder", "--worker", name, "--count", str(count)]
        subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={output}", *worker], check=True, capture_output=True, timeout=600
        )
        total = re.search(r"^(?:totals|summary): (\d+)", output.read_text(), re.MULTILINE)
    assert total is not None, "callgrind wrote no total"
    return int(total[1])


def table(costs: dict[str, dict[str, float]]) -> str:
    """A Markdown table: a row for each kind of cost."""
    rows = ["| per span | otelkit | SDK | ratio |", "|---|---|---|---|"]
    rows += [
        f"| {kind} | {cost['otelkit']:.1f} | {cost['sdk']:.1f} | {cost['sdk'] / cost['otelkit']:.1f} |" for kind, cost in costs.items()
    ]
    return "\n".join(rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="processor time only, one round")
    parser.add_argument("--worker", choices=ENCODERS, help=argparse.SUPPRESS)
    parser.add_argument("--count", type=int, default=COUNTS[0], help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.worker:
        for batch in batches(COUNTS[1])[: options.count]:
            ENCODERS[options.worker](batch)
        return
    costs = {"µs": microseconds(1 if options.quick else 15, 2 if options.quick else 10)}
    if not options.quick and shutil.which("valgrind"):
        costs["k-instr"] = {name: count / 1000 for name, count in instructions().items()}
    print(table(costs))


if __name__ == "__main__":
    main()
