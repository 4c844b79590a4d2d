"""assert_no_secrets finds what leaked, in every output, and however it is written there."""

from __future__ import annotations

import logging

import httpx
import pytest
from opentelemetry import baggage, context, metrics, trace

from otelkit.testing import capture
from tests.receivers import receiver


def failure_of(telemetry, *secrets: str) -> list[str]:
    with pytest.raises(AssertionError) as failed:
        telemetry.assert_no_secrets(*secrets)
    return str(failed.value).splitlines()


def test_each_output_is_looked_at(telemetry):
    """Nothing here is secret by its name, so all of it comes out, and each place is named."""
    with trace.get_tracer("shop").start_as_current_span("work") as span:
        span.set_attribute("colour", "leak-in-a-span")
        span.add_event("done", {"colour": "leak-in-an-event"})
        logging.getLogger("shop").warning("leak-in-a-message")
        metrics.get_meter("shop").create_counter("shop.paints").add(1, {"colour": "leak-in-a-metric"})
        token = context.attach(baggage.set_baggage("colour", "leak-in-baggage"))
        try:
            with receiver() as other:
                httpx.post(other.endpoint, content=b"x")
        finally:
            context.detach(token)
    telemetry.assert_no_secrets("nowhere-to-be-seen")
    assert failure_of(telemetry, "LEAK-in-a-span") == [
        "Secrets came out:",
        "  'LEAK-in-a-span' in span 'work', attributes, colour: 'leak-in-a-span'",
    ]
    assert any("span 'work', events, attributes, colour" in row for row in failure_of(telemetry, "leak-in-an-event"))
    said = " ".join(failure_of(telemetry, "leak-in-a-message"))
    assert "log line 'leak-in-a-message', message" in said
    assert "console line" in said
    said = " ".join(failure_of(telemetry, "leak-in-a-metric"))
    assert "metric shop.paints, attributes, colour" in said
    assert " in /metrics: " in said
    assert any("headers of an outbound call, baggage" in row for row in failure_of(telemetry, "leak-in-baggage"))


def test_a_secret_is_found_as_json_and_urls_write_it():
    with capture({"logs": {"exporters": ["otlp"]}}) as telemetry:
        logging.getLogger("shop").warning("it said %s", 'caf\u00e9 /"x"')
        logging.getLogger("shop").warning("it went to caf%C3%A9%2F1")
        assert len(failure_of(telemetry, 'café /"x"')) > 1
        assert len(failure_of(telemetry, "café/1")) > 1


def test_what_the_decoding_leaves_out_is_found_in_the_raw_bytes(telemetry):
    """A scope's attributes are in no dict."""
    trace.get_tracer("shop", attributes={"colour": "leak-in-a-scope"}).start_span("work").end()
    assert failure_of(telemetry, "leak-in-a-scope") == ["Secrets came out:", "  'leak-in-a-scope' in a request of traces (its raw bytes)"]


def test_a_secret_that_would_be_found_by_chance_is_refused(telemetry):
    with pytest.raises(ValueError, match="'471' is too short"):
        telemetry.assert_no_secrets("hunter2", "471")
    with pytest.raises(TypeError, match="needs the values"):
        telemetry.assert_no_secrets()
