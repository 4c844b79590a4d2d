"""Both backends away and the Collector killed, under load: every request is still counted once and every line stored once."""

from __future__ import annotations

import contextlib
import json
import urllib.parse
import urllib.request

import pytest

from otelkit.catalog import logs
from otelkit.catalog import metrics as m
from otelkit.catalog.naming import label_name, series_name
from tests.backends import wait_until
from tests.compose.composed_stack import ComposedStack, composed_stack

pytestmark = pytest.mark.containers


def requests_counted(stack: ComposedStack) -> int:
    """Requests to the gateway according to Prometheus."""
    result = stack.prometheus.query(f'sum({series_name(m.HTTP_SERVER_REQUEST_DURATION)}{{service_name="gateway"}})')
    return int(float(result[0]["value"][1])) if result else 0


def access_lines_stored(stack: ComposedStack) -> int:
    """Access lines of the gateway according to Loki."""
    query = f'sum(count_over_time({{service_name="gateway"}} | {label_name(logs.EVENT_NAME)}="{logs.ACCESS_EVENT}" [1h]))'
    with urllib.request.urlopen(f"{stack.loki}/loki/api/v1/query?{urllib.parse.urlencode({'query': query})}", timeout=30) as answer:
        result = json.load(answer)["data"]["result"]
    return int(result[0]["value"][1]) if result else 0


def access_lines_written(stack: ComposedStack) -> int:
    """Access lines of the gateway on its standard output: the truth that the others are compared with."""
    return sum(line.get(logs.EVENT_NAME) == logs.ACCESS_EVENT for line in stack.json_lines("gateway"))


def exporter_warned(stack: ComposedStack) -> bool:
    """Whether the gateway has said that its telemetry does not arrive."""
    return any(line["logger"] == "otelkit.export" and line["level"] == "warning" for line in stack.json_lines("gateway"))


def test_nothing_is_lost_while_backends_are_away_and_the_collector_dies():
    """The disk queue outlives the Collector, and the services hold what they have while nobody listens."""
    with composed_stack(LOAD_MINUTES="1", LOAD_RATE="10") as stack:
        wait_until(lambda: requests_counted(stack) and access_lines_stored(stack), 60.0, "nothing arrives before the outage")
        stack.compose("stop", "prometheus", "loki")
        before = access_lines_written(stack)
        wait_until(lambda: access_lines_written(stack) > before + 100, 60.0, "no load during the outage", every=1)
        stack.compose("kill", "--signal", "KILL", "collector")
        wait_until(lambda: exporter_warned(stack), 60.0, "the gateway did not notice that the collector is gone")
        stack.compose("start", "collector", "prometheus", "loki")
        wait_until(
            lambda: "Exited (0)" in stack.compose("ps", "--all", "--format", "{{.Status}}", "load"), 120.0, "the load did not end", every=1
        )
        found = (0, 0, 0)

        def complete() -> bool:
            nonlocal found
            # What was answered is read each time: the load ends without the answers that it has no patience for.
            found = requests_counted(stack), access_lines_stored(stack), access_lines_written(stack)
            return len(set(found)) == 1

        with contextlib.suppress(TimeoutError):
            wait_until(complete, 240.0, "", every=1)  # two queues that each wait longer after each try
        assert len(set(found)) == 1, f"Prometheus counts, Loki stores, and the gateway has answered: {found}"
