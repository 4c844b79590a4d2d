"""The same requests through upstream's instrumentation and through ours: equal but for what differs on purpose."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from otelkit.testing import capture
from tests.conformance.comparison import complaints, differing
from tests.conformance.differences import DIFFERENCES, Difference
from tests.conformance.exchanges import EXCHANGES, EXCLUDED_PATH, Exchange, ask
from tests.conformance.observation import ACTIVE, DURATION, Facts, facts

pytest.importorskip(
    "opentelemetry.instrumentation.django", reason="upstream's instrumentation is not installed: pip install 'otelkit[upstream]'"
)


@pytest.fixture(scope="session")
def upstream(_tables: None) -> dict[str, Facts]:
    """What upstream said about every request, by the request's name."""
    environment = {
        **os.environ,
        "OTEL_SEMCONV_STABILITY_OPT_IN": "http,database",
        "OTEL_PYTHON_DJANGO_EXCLUDED_URLS": f"{EXCLUDED_PATH}$",
    }
    answer = subprocess.run(
        [sys.executable, "-m", "tests.conformance.upstream"], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert answer.returncode == 0, answer.stderr
    found: dict[str, Facts] = json.loads(answer.stdout)
    return found


def observe(exchange: Exchange) -> Facts:
    """What otelkit says about the request, in JSON's types."""
    with capture({"logs": {"exporters": ["otlp"]}, "requests": {"excluded_paths": [EXCLUDED_PATH]}}) as telemetry:
        ask(exchange)
        metrics = telemetry.metrics
        active = sum(point["value"] for point in metrics.get(ACTIVE, []))
        found: Facts = json.loads(json.dumps(facts(exchange, telemetry.spans, metrics.get(DURATION, []), active)))
    return found


@pytest.mark.parametrize("exchange", EXCHANGES, ids=lambda exchange: exchange.name)
def test_a_request_differs_from_upstream_only_where_it_is_meant_to(upstream: dict[str, Facts], exchange: Exchange) -> None:
    found = complaints(exchange.name, differing(upstream[exchange.name], observe(exchange)), DIFFERENCES)
    assert found == [], "\n".join(found)


def test_every_listed_difference_is_about_known_requests() -> None:
    known = {exchange.name for exchange in EXCHANGES}
    assert len(known) == len(EXCHANGES)
    for difference in DIFFERENCES:
        assert difference.requests, f"{difference.fact} is listed for no request"
        assert set(difference.requests) <= known, f"{difference.fact} is listed for {set(difference.requests) - known}"
        assert difference.why.endswith(".")


FOUND: dict[str, Any] = {"server spans": 1, "durations": 1, "span.name": "GET /", "duration.url.scheme": "http"}
INTENDED = (Difference("span.name", ("root",), "Because."),)


def test_a_difference_nobody_intended_is_complained_of() -> None:
    assert complaints("root", differing({**FOUND, "span.name": "GET"}, FOUND), INTENDED) == []
    (complaint,) = complaints("path", differing({**FOUND, "span.name": "GET"}, FOUND), INTENDED)
    assert complaint == "path: span.name differs, and nobody says why: upstream 'GET', otelkit 'GET /'."
    (complaint,) = complaints("path", differing(FOUND, {**FOUND, "span.new": 1}), INTENDED)
    assert complaint == "path: span.new differs, and nobody says why: upstream '(absent)', otelkit 1."


def test_an_intended_difference_that_is_none_is_complained_of() -> None:
    assert complaints("root", differing(FOUND, FOUND), INTENDED) == ["root: span.name is listed as different (Because.) and is not."]
    assert complaints("path", differing(FOUND, FOUND), INTENDED) == []


def test_a_span_that_one_side_lacks_is_one_difference() -> None:
    without = {"server spans": 0, "durations": 1, "duration.url.scheme": "https"}
    assert list(differing(without, FOUND)) == ["duration.url.scheme", "server spans"]
