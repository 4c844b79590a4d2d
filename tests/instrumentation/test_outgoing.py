"""What a response tells of its trace, and how large bodies are: both only where asked for."""

from __future__ import annotations

import pytest

from otelkit.testing import capture
from tests.instrumentation.asking import BOTH

HEADERS = {"requests": {"response_headers": ["traceresponse", "server-timing"]}}


@pytest.mark.parametrize("ask", BOTH)
@pytest.mark.parametrize("path", ["/items/7", "/boom", "/missing", "/stream"])
def test_a_response_names_its_span(ask, path):
    with capture(HEADERS) as telemetry:
        answer = ask(path)
        answer.close()
        (span,) = [span for span in telemetry.spans if span["kind"] == "SERVER"]
    version, trace_id, span_id, flags = answer.headers["traceresponse"].split("-")
    assert (version, trace_id, span_id) == ("00", span["trace_id"], span["span_id"])
    assert int(flags, 16) & 1
    assert answer.headers["Server-Timing"] == f'traceparent;desc="{answer.headers["traceresponse"]}"'
    assert "Access-Control-Expose-Headers" not in answer.headers


@pytest.mark.parametrize("ask", BOTH)
def test_what_a_view_says_itself_stays(ask):
    with capture(HEADERS):
        answer = ask("/says-headers")
    assert answer.headers["Server-Timing"].startswith('db;dur=3, traceparent;desc="00-')
    assert answer.headers["Access-Control-Expose-Headers"] == "X-Total, traceresponse"


@pytest.mark.parametrize("ask", BOTH)
def test_nothing_is_told_by_default_or_of_what_is_excluded(ask):
    """B10."""
    with capture():
        assert not {"traceresponse", "server-timing"} & {name.lower() for name in ask("/items/7").headers}
    with capture(HEADERS):
        assert not {"traceresponse", "server-timing"} & {name.lower() for name in ask("/livez").headers}


SIZES = {"requests": {"body_sizes": True}}


@pytest.mark.parametrize("ask", BOTH)
def test_sizes_of_bodies_are_recorded_where_asked_for(ask):
    with capture(SIZES) as telemetry:
        ask("/items/7", "POST", data=b"x" * 300)
        request, response = (telemetry.point(f"http.server.{body}.body.size") for body in ("request", "response"))
    labels = {"http.request.method": "POST", "http.route": "/items/{pk}", "url.scheme": "http"}
    assert (request["count"], request["sum"], request["attributes"]) == (1, 300, labels)
    assert (response["count"], response["sum"], response["attributes"]) == (1, 2, labels)


@pytest.mark.parametrize("ask", BOTH)
def test_a_streamed_body_is_measured_by_its_pieces(ask):
    with capture({**SIZES, "logs": {"exporters": ["otlp"]}}) as telemetry:
        answer = ask("/stream")
        if answer.is_async:
            pytest.skip("a sync view")
        assert b"".join(answer.streaming_content) == b"xxx"
        answer.close()
        assert telemetry.point("http.server.response.body.size")["sum"] == 3
        (line,) = [line for line in telemetry.logs if line["event_name"] == "http.request"]
        assert line["attributes"]["http.response.body.size"] == 3


@pytest.mark.parametrize("length", ["", "-1", "1e9", "9" * 40, "\u0663"])
def test_a_length_that_is_none_is_not_recorded(length):
    with capture(SIZES) as telemetry:
        BOTH[0]("/items/7", CONTENT_LENGTH=length)
        assert "http.server.request.body.size" not in telemetry.metrics
        assert telemetry.point("http.server.response.body.size")["count"] == 1


def test_a_length_that_is_a_number_and_no_text_is_recorded():
    """B6: a test client or a server may put one there; a length that we cannot read would cost the whole record of the request."""
    with capture(SIZES) as telemetry:
        BOTH[0]("/items/7", CONTENT_LENGTH=7)
        assert telemetry.point("http.server.request.body.size")["sum"] == 7
        assert telemetry.point("http.server.request.duration")["count"] == 1


def test_sizes_are_not_recorded_by_default():
    with capture() as telemetry:
        BOTH[0]("/items/7", "POST", data=b"x")
        assert not any("body.size" in name for name in telemetry.metrics)
