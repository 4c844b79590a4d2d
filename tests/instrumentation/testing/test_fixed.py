"""Fixed ids and clock: the same test gives the same telemetry, digit for digit."""

from __future__ import annotations

import ast
import json
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest
from django.test import Client
from opentelemetry import trace

import otelkit
from otelkit.testing import capture
from otelkit.testing.fixed import CLOCKS, DICE
from tests.receivers import receiver


def _work(endpoint: str) -> None:
    Client().get("/queries/2")
    Client().get("/template")
    with trace.get_tracer("shop").start_as_current_span("paint") as span:
        span.add_event("began")
        httpx.post(endpoint, content=b"x")


def _captured() -> str:
    with receiver() as other, capture({"traces": {"sample_ratio": 0.01}}, fixed=True) as telemetry:
        _work(other.endpoint)
        recorded = {name: points for name, points in telemetry.metrics.items() if name.startswith(("http.", "django.", "db."))}
        port = other.endpoint.rpartition(":")[2]  # another in each run
        return json.dumps([telemetry.spans, recorded, telemetry.lines, telemetry.outgoing_headers]).replace(port, "PORT")


def test_two_runs_are_the_same_to_the_last_digit():
    """Spans, metrics, lines and headers, of requests, queries, templates, outbound calls and the project's own tracer."""
    first = _captured()
    assert "00-00000000000000000000000000000003-" in first
    assert _captured() == first


def test_ids_count_up_and_the_clock_begins_with_the_year():
    with capture(fixed=True) as telemetry:
        Client().get("/queries/1")
        Client().get("/items/1")
        request, other = telemetry.span("GET /queries/{times}"), telemetry.span("GET /items/{pk}")
        assert (request["trace_id"], request["span_id"]) == ("0" * 31 + "1", "0" * 15 + "1")
        assert [span["span_id"][-1] for span in telemetry.spans] == ["2", "3", "1", "4"]
        assert (other["trace_id"], other["span_id"]) == ("0" * 31 + "2", "0" * 15 + "4")
        assert request["start_ns"] // 10**9 == 1_767_225_600
        assert telemetry.lines[0]["timestamp"].startswith("2026-01-01T00:00:00.0")
        assert telemetry.lines[0]["service.instance.id"] == "host:0"
        assert (request["resource"]["host.name"], request["resource"]["process.pid"]) == ("host", 1)


def test_what_the_settings_say_of_the_place_stays():
    with capture({"service": {"attributes": {"host.name": "web-1"}}}, fixed=True) as telemetry:
        Client().get("/items/1")
        assert telemetry.span("GET /items/{pk}")["resource"]["host.name"] == "web-1"


def test_afterwards_ids_are_random_and_the_clock_is_the_machines_again():
    with capture(fixed=True):
        pass
    with capture() as telemetry:
        Client().get("/items/1")
        request = telemetry.span("GET /items/{pk}")
        assert int(request["trace_id"], 16) > 1_000
        assert request["start_ns"] > 1_767_225_600_000_000_000 + 10**12


WAITS = {
    # They wait in the machine's time, or say how long something of ours took.
    "otelkit.database.migrations",
    "otelkit.doctor.listening",
    "otelkit.doctor.read_back",
    "otelkit.export.breaker",
    "otelkit.export.connection",
    "otelkit.export.exporter",
    "otelkit.export.sender",
    "otelkit.metrics.publisher",
    "otelkit.metrics.pull",
    "otelkit.metrics.question",
    "otelkit.patterns.auth.fetching",
    "otelkit.patterns.auth.keys",
    "otelkit.patterns.events.consumer",
    "otelkit.patterns.events.relay",
    "otelkit.patterns.gauges",
    "otelkit.patterns.health.probe",
    "otelkit.patterns.health.watch",
    "otelkit.patterns.resilience.breaker",
    "otelkit.patterns.resilience.deadline",
    "otelkit.patterns.resilience.pybreaker",
    "otelkit.patterns.resilience.retry",
    "otelkit.patterns.resilience.shedding",
    # They ask what day it is, or spread what would come all at once; the name of a file that a message travels in.
    "otelkit.patterns.api.contract",
    "otelkit.patterns.api.versions",
    "otelkit.patterns.events.filesystem",
    "otelkit.patterns.jitter",
    # What waits in a queue is asked in the background, of a broker that has a clock of its own.
    "otelkit.libraries.celery_tasks.brokers",
    "otelkit.tasks.queues",
    # The time of a point of the SDK's.
    "otelkit.metrics.sdk_points",
    # The time of an exemplar and of the process's start, which no test is shown.
    "otelkit.metrics.aggregator",
    "otelkit.metrics.process",
    # Only for records whose own time makes no sense, and to write a time out.
    "otelkit.logs.line",
    "otelkit.logs.formatter",
    # Gives the dice of a forked worker a seed of its own.
    "otelkit.forking",
}
ROOT = Path(otelkit.__file__).parent


def _imports(path: Path) -> set[str]:
    """Clocks and dice that a module imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module in ("time", "random"):
            found |= {alias.name for alias in node.names} - {"sleep"}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names} & {"time", "random"}
    return found


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_reads_a_clock_that_is_not_known_here(path):
    """A new reading either belongs to what is recorded, and is fixed, or it waits, and is named above."""
    module = ".".join(("otelkit", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")
    if module not in WAITS and not module.startswith("otelkit.testing"):
        fixed = {name for owner, name in CLOCKS if owner == module} | ({"random"} if module in DICE else set())
        assert _imports(path) == fixed


def test_every_module_named_is_there():
    assert all(find_spec(module) for module in (*WAITS, *DICE, *(module for module, _ in CLOCKS)))
