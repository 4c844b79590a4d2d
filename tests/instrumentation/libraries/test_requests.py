"""requests: what is special to it. What holds for every client of HTTP is in test_http_clients.py."""

from __future__ import annotations

from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry

from otelkit.libraries.requests import LIBRARY
from otelkit.testing import capture
from tests.receivers import receiver


def test_retries_of_urllib3_are_within_the_call():
    with receiver() as peer, capture() as telemetry, requests.Session() as session:
        peer.answer = lambda number: (503 if number < 3 else 200, {}, b"")
        session.mount("http://", HTTPAdapter(max_retries=Retry(3, status_forcelist=[503], allowed_methods=None)))
        assert session.post(peer.endpoint).status_code == 200
        (span,) = telemetry.spans
        assert span["attributes"]["http.request.resend_count"] == 2
        assert span["attributes"]["http.response.status_code"] == 200
        assert len(peer.requests) == 3
        assert {metric.name for metric in LIBRARY.emits} <= set(telemetry.metrics)


def test_an_adapter_that_calls_another_is_one_call():
    class Caching(HTTPAdapter):
        def send(self, *args: Any, **kwargs: Any) -> requests.Response:
            return super().send(*args, **kwargs)

    with receiver() as peer, capture() as telemetry, requests.Session() as session:
        session.mount("http://", Caching())
        session.post(peer.endpoint)
        assert len(telemetry.spans) == 1


def test_a_call_in_a_hook_is_no_resend():
    with receiver() as peer, capture() as telemetry:

        def ask_again(answer: requests.Response, **_: Any) -> None:
            requests.post(f"{peer.endpoint}/other")

        requests.post(peer.endpoint, hooks={"response": ask_again})
        assert [span["attributes"].get("http.request.resend_count") for span in telemetry.spans] == [None, None]
