"""urllib3: what is special to it. What holds for every client of HTTP is in test_http_clients.py."""

from __future__ import annotations

import pytest
import requests
import urllib3

from otelkit.libraries.urllib3 import LIBRARY
from otelkit.testing import capture
from tests.receivers import receiver


def test_each_attempt_is_a_span_and_knows_those_before_it():
    with receiver() as peer, capture() as telemetry, urllib3.PoolManager() as pools:
        peer.answer = lambda number: (503 if number < 3 else 200, {}, b"")
        retries = urllib3.Retry(3, status_forcelist=[503], allowed_methods=None)
        assert pools.request("POST", peer.endpoint, retries=retries).status == 200
        spans = [span["attributes"] for span in telemetry.spans]
        assert [span["http.response.status_code"] for span in spans] == [503, 503, 200]
        assert [span.get("http.request.resend_count") for span in spans] == [None, 1, 2]
        sent = [headers["traceparent"].split("-")[2] for _, headers, _ in peer.requests]
        assert sent == [span["span_id"] for span in telemetry.spans], "each attempt travels with its own span"
        assert {metric.name for metric in LIBRARY.emits} <= set(telemetry.metrics)


@pytest.mark.parametrize("first", ["requests", "urllib3"])
def test_a_call_by_requests_has_one_span(first):
    """A4: whichever was followed first."""
    with receiver() as peer, capture() as telemetry:
        requests.post(peer.endpoint)
        (span,) = telemetry.spans
        assert telemetry.point("http.client.request.duration")["count"] == 1
        ((_, headers, _),) = peer.requests
        assert headers["traceparent"].split("-")[2] == span["span_id"]


def test_with_requests_disabled_its_calls_are_urllib3s():
    with receiver() as peer, capture({"libraries": {"disabled": ["requests"]}}) as telemetry:
        requests.post(f"{peer.endpoint}/things?token=s3cr3t")
        span = telemetry.span("POST")
        assert span["attributes"]["url.full"] == f"{peer.endpoint}/things?token=REDACTED"


def test_the_callers_headers_stay_the_callers():
    mine = {"X-Mine": "1"}
    with receiver() as peer, capture(), urllib3.PoolManager(headers=mine) as pools:
        pools.request("POST", peer.endpoint)
        pools.request("POST", peer.endpoint, headers=urllib3.HTTPHeaderDict([("X-Two", "a"), ("X-Two", "b")]))
        (_, first, _), (_, second, _) = peer.requests
    assert mine == {"X-Mine": "1"}
    assert first["X-Mine"] == "1"
    assert "traceparent" in second


@pytest.mark.parametrize("headers", [{5: "a"}, {"X-Mine": object()}, {"X-Mine": "a\nb"}], ids=["name", "value", "line break"])
def test_headers_that_are_none_are_complained_of_by_urllib3(headers):
    """B5."""
    with receiver() as peer, urllib3.PoolManager() as pools:

        def complaint() -> str:
            with pytest.raises(Exception) as caught:  # noqa: PT011  (whichever it is, it is the same with the kit)
                pools.request("POST", peer.endpoint, headers=headers, retries=False)
            return repr(caught.value)

        without = complaint()
        with capture():
            assert complaint() == without


def test_our_own_exporter_is_silent():
    """B8: it sends by urllib3, within a context that suppresses telemetry."""
    from opentelemetry import context

    from otelkit.traces.suppression import suppressed

    with receiver() as peer, capture() as telemetry, urllib3.PoolManager() as pools:
        token = context.attach(suppressed())
        try:
            pools.request("POST", peer.endpoint)
        finally:
            context.detach(token)
        assert telemetry.spans == []
        assert "http.client.request.duration" not in telemetry.metrics
