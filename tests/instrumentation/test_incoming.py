"""Which headers of a caller are believed, and what becomes of the others."""

from __future__ import annotations

import logging
import re

import pytest
from opentelemetry import baggage, propagate
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from otelkit.config import load
from otelkit.errors import ConfigError
from otelkit.request.incoming import queue_seconds
from otelkit.testing import capture
from tests.instrumentation.asking import BOTH

TRACE, SPAN = "0123456789abcdef0123456789abcdef", "0123456789abcdef"
SAMPLED, UNSAMPLED = f"00-{TRACE}-{SPAN}-01", f"00-{TRACE}-{SPAN}-00"
STRANGER, NEIGHBOUR = "203.0.113.9", "10.1.2.3"


def settings(**requests: object) -> dict[str, object]:
    return {"logs": {"exporters": ["otlp"]}, "requests": requests}


def access_line(telemetry) -> dict:
    (line,) = [line for line in telemetry.logs if line["event_name"] == "http.request"]
    return line


@pytest.mark.parametrize("ask", BOTH)
@pytest.mark.parametrize(
    ("trust", "peer", "believed"),
    [
        ("always", STRANGER, True),
        ("never", "127.0.0.1", False),
        ("networks", STRANGER, False),
        ("networks", NEIGHBOUR, True),
        ("networks", "::1", True),
        ("networks", "::ffff:10.1.2.3", True),
        ("networks", "fe80::1%eth0", False),
        ("networks", "no address", False),
    ],
)
def test_a_caller_is_joined_only_where_it_is_believed(ask, trust, peer, believed):
    """A14: others get a new root, with a link to theirs."""
    with capture(settings(trust_incoming=trust)) as telemetry:
        assert ask("/items/7", headers={"traceparent": SAMPLED}, peer=peer).status_code == 200
        span = telemetry.span("GET /items/{pk}")
    assert (span["trace_id"] == TRACE) is believed
    assert span["parent_span_id"] == (SPAN if believed else None)
    assert span["links"] == ([] if believed else [TRACE])


@pytest.mark.parametrize("ask", BOTH)
def test_a_stranger_does_not_decide_what_is_sampled(ask):
    """A14, both ways."""
    with capture(settings(trust_incoming="never")) as telemetry:
        ask("/items/7", headers={"traceparent": UNSAMPLED})
        assert telemetry.span("GET /items/{pk}")["links"] == [TRACE]
    with capture({**settings(trust_incoming="never"), "traces": {"sample_ratio": 0.0}}) as telemetry:
        ask("/items/7", headers={"traceparent": SAMPLED})
        assert telemetry.spans == []


@pytest.mark.parametrize("ask", BOTH)
def test_a_believed_caller_decides_what_is_sampled_and_it_is_passed_on(ask):
    """A14."""
    with capture(settings()) as telemetry:
        answer = ask("/headers", headers={"traceparent": UNSAMPLED, "tracestate": "foo=1", "baggage": "tenant=a"}).json()
        assert telemetry.spans == []
    version, trace_id, span_id, flags = answer["traceparent"].split("-")
    assert (version, trace_id, int(flags, 16) & 1) == ("00", TRACE, 0)
    assert span_id != SPAN
    assert (answer["tracestate"], answer["baggage"]) == ("foo=1", "tenant=a")


@pytest.mark.parametrize("ask", BOTH)
def test_a_strangers_baggage_is_dropped(ask):
    """A14."""
    with capture(settings(trust_incoming="never")):
        answer = ask("/headers", headers={"traceparent": SAMPLED, "tracestate": "foo=1", "baggage": "tenant=a"}).json()
    assert "baggage" not in answer
    assert "tracestate" not in answer


BROKEN = [
    {"traceparent": "hunter2"},
    {"traceparent": f"{SAMPLED},{SAMPLED}"},
    {"traceparent": "hunter2" * 1200},
    {"traceparent": SAMPLED, "tracestate": "hunter2;" * 1200},
    {"baggage": ",".join(f"hunter2{number}=1" for number in range(180))},
    {"baggage": "hunter2" * 1200},
    {"baggage": "hunter2,,;=,hunter2;hunter2"},
    {"traceparent": "é" * 55, "baggage": "é=hunter2"},
    {"x-request-id": "hunter2\x1b[31m{}", "x-request-start": "t=hunter2"},
    {"x-request-id": "hunter2" * 1200, "x-request-start": "9" * 8192},
]


@pytest.mark.parametrize("ask", BOTH)
@pytest.mark.parametrize("headers", BROKEN)
@pytest.mark.parametrize("trust", ["always", "never"])
def test_broken_headers_change_nothing_and_are_told_to_nobody(caplog, ask, headers, trust):
    """A14, C5: duplicates, 8 KB, 180 entries. The answer is the same, and no signal holds what was sent."""
    caplog.set_level(logging.DEBUG, logger="otelkit")
    caplog.set_level(logging.DEBUG, logger="opentelemetry")
    with capture(settings(trust_incoming=trust, response_headers=["traceresponse", "server-timing"])) as telemetry:
        answer = ask("/items/7", headers=headers)
        assert (answer.status_code, answer.content) == (200, b"ok")
        assert len(telemetry.spans) == 1
        assert "hunter2" not in f"{telemetry.spans} {telemetry.logs} {telemetry.metrics}"
    assert "hunter2" not in caplog.text
    assert "hunter2" not in str(answer.headers)


@pytest.mark.parametrize("ask", BOTH)
def test_a_propagator_that_the_project_chose_is_asked(ask):
    """A project on another format keeps it; one that raises costs only its own context (B6)."""

    class Own(TraceContextTextMapPropagator):
        def extract(self, carrier, context=None, getter=None):
            if getter.get(carrier, "x-own") == ["breaks"]:
                raise ValueError("hunter2")
            return baggage.set_baggage("own", "yes", super().extract({"traceparent": getter.get(carrier, "x-own")[0]}, context))

    before = propagate.get_global_textmap()
    propagate.set_global_textmap(Own())
    try:
        with capture(settings()) as telemetry:
            ask("/items/7", headers={"x-own": SAMPLED})
            assert telemetry.span("GET /items/{pk}")["trace_id"] == TRACE
        with capture(settings(trust_incoming="never")) as telemetry:
            ask("/items/7", headers={"x-own": SAMPLED})
            assert telemetry.span("GET /items/{pk}")["links"] == [TRACE]
        with capture(settings()) as telemetry:
            assert ask("/items/7", headers={"x-own": "breaks"}).status_code == 200
            assert telemetry.span("GET /items/{pk}")["parent_span_id"] is None
    finally:
        propagate.set_global_textmap(before)


@pytest.mark.parametrize("ask", BOTH)
def test_a_request_id_is_on_every_line_of_the_request(ask, caplog):
    caplog.set_level(logging.INFO)
    with capture(settings()) as telemetry:
        answer = ask("/logs", headers={"x-request-id": "Req-7.a_B"})
        inside = [line for line in telemetry.logs if line["logger"] == "tests.project"]
        lines = [*inside, access_line(telemetry)]
    assert [line["attributes"]["request.id"] for line in lines] == ["Req-7.a_B"] * 3
    assert {line["attributes"]["http.route"] for line in lines} == {"/logs"}
    assert "x-request-id" not in answer.headers


@pytest.mark.parametrize("given", ["", "a b", "a" * 65, "{}", "a\nb", "a\r\nSet-Cookie: x=1", "é", "<script>", "a;b", "../etc"])
@pytest.mark.parametrize("ask", BOTH)
def test_what_is_no_request_id_is_replaced_by_our_own(ask, given):
    """C5: never reflected raw."""
    with capture(settings()) as telemetry:
        ask("/items/7", headers={"x-request-id": given})
        line, span = access_line(telemetry), telemetry.span("GET /items/{pk}")
    assert line["attributes"]["request.id"] == span["span_id"]
    assert re.fullmatch("[0-9a-f]{16}", span["span_id"])


def test_a_strangers_request_id_is_not_taken():
    """C5."""
    with capture(settings(trust_incoming="networks")) as telemetry:
        BOTH[0]("/items/7", headers={"x-request-id": "abc"}, peer=STRANGER)
        assert access_line(telemetry)["attributes"]["request.id"] != "abc"


def test_the_header_of_request_ids_can_be_chosen_or_left_unread():
    with capture(settings(request_id_header="X-Correlation-ID")) as telemetry:
        BOTH[0]("/items/7", headers={"x-correlation-id": "abc", "x-request-id": "other"})
        assert access_line(telemetry)["attributes"]["request.id"] == "abc"
    with capture(settings(request_id_header="")) as telemetry:
        BOTH[0]("/items/7", headers={"x-request-id": "abc"})
        assert access_line(telemetry)["attributes"]["request.id"] != "abc"


NOW = 1_795_357_800.25


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("t=1795357800.000", 0.25),  # nginx
        ("1795357800.000", 0.25),
        ("1795357800000", 0.25),  # Heroku
        ("t=1795357800000000", 0.25),  # Apache
        ("t=1795357801", 0.0),  # a clock ahead of ours
        ("t=1795350000", None),  # longer than an hour
        ("t=0", None),
        ("t=-1", None),
        ("t=", None),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        ("9" * 100, None),
    ],
)
def test_every_proxys_way_to_tell_when_a_request_came_is_understood(header, seconds):
    assert queue_seconds(header, NOW) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize("ask", BOTH)
@pytest.mark.parametrize("header", ["x-request-start", "x-queue-start"])
def test_the_wait_in_front_of_us_is_a_metric_and_an_attribute(ask, header, monkeypatch):
    monkeypatch.setattr("otelkit.request.incoming.time.time", lambda: NOW)
    with capture(settings()) as telemetry:
        ask("/items/7", headers={header: "t=1795357800.000"})
        assert telemetry.point("http.server.request.queue.duration")["sum"] == pytest.approx(0.25)
        assert telemetry.span("GET /items/{pk}")["attributes"]["django.request.queue_ms"] == pytest.approx(250)


def test_no_proxy_no_wait():
    with capture(settings(trust_incoming="never")) as telemetry:
        BOTH[0]("/items/7", headers={"x-request-start": "t=1795357800.000"})
        BOTH[0]("/items/7")
        assert "http.server.request.queue.duration" not in telemetry.metrics


def test_wrong_settings_name_the_way_on():
    """A23."""
    wrong = {"trust_incoming": "sometimes", "trusted_networks": ["10.0.0.0/99"], "request_id_header": "X Request", "engine": "upstrem"}
    with pytest.raises(ConfigError) as raised:
        load({"requests": wrong}, {})
    message = str(raised.value)
    assert 'OTELKIT["requests"]["trust_incoming"] must be one of always, never, networks; it is' in message
    assert "must be networks like 10.0.0.0/8 or fc00::/7" in message
    assert "must be the name of a header, like X-Request-ID" in message
    assert "must be one of otelkit, upstream; it is 'upstrem'" in message
