"""Many spans in one process, to a receiver on this machine, and whether the books agree with what arrived."""

from __future__ import annotations

import gzip
import json
import resource
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.receivers import receiver


@dataclass(frozen=True, slots=True)
class Flood:
    """What became of the spans."""

    rate: int
    """Spans a second, as the process managed to make them."""
    made: int
    arrived: int
    """As the receiver counts them."""
    dropped: int
    """As the process counts them."""
    grown_mb: float
    """Memory that the process took in the meantime."""
    busy: float
    """Processors that making and sending them took, had they come at the rate that was asked for: 0.5 is half of one."""

    @property
    def unaccounted(self) -> int:
        """Spans that neither arrived nor are counted as dropped, or that arrived twice."""
        return abs(self.made - self.arrived - self.dropped)


def flood(rate: int, seconds: int) -> Flood:
    """One process makes spans at this rate. Raises RuntimeError, with its words, where it fails."""
    made = rate * seconds
    before = _processor_seconds()
    with receiver() as running:
        command = [sys.executable, "-m", "tests.instrumentation.flood", running.endpoint, "--spans", str(made), "--rate", str(rate)]
        run = subprocess.run(command, capture_output=True, text=True, timeout=seconds * 10 + 60, check=False)
        arrived = spans_in((headers, body) for path, headers, body in running.requests if path.endswith("/v1/traces"))
    if run.returncode != 0:
        raise RuntimeError(f"The flood failed:\n{run.stderr[-2000:]}")
    said = json.loads(run.stdout)
    busy = (_processor_seconds() - before) / seconds
    return Flood(said["rate"], made, arrived, sum(said["dropped"].values()), said["grown_mb"], busy)


def _processor_seconds() -> float:
    """Of the processes that this one has started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def spans_in(requests: Iterable[tuple[dict[str, str], bytes]]) -> int:
    """How many spans these OTLP requests hold."""
    count = 0
    for headers, body in requests:
        message = ExportTraceServiceRequest.FromString(gzip.decompress(body) if headers.get("Content-Encoding") == "gzip" else body)
        count += sum(len(scope.spans) for resource in message.resource_spans for scope in resource.scope_spans)
    return count
