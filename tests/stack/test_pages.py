"""The page shows what is there, escapes all of it, and answers to this machine alone."""

from __future__ import annotations

import time
from html.parser import HTMLParser

import httpx
import pytest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from otelkit_stack.pages.quantities import duration_text, percent_text, rate_text
from otelkit_stack.testing import RunningStack
from tests.stack.otlp_requests import TRACE_ID, any_value, logs, post, span, traces

ROOT, CHILD = "00f067aa0ba90001", "00f067aa0ba90002"


class Reader(HTMLParser):
    """Collects the elements and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name == "href" and value]

    def handle_data(self, data: str) -> None:
        self.text += data + " "


def test_the_start_page_shows_services_and_links_the_newest_traces(stack: RunningStack):
    now = time.time_ns()
    post(
        stack.url,
        traces(span(ROOT, "GET /orders/{pk}", start_ns=now, duration_s=0.25), span(CHILD, start_ns=now, duration_s=0.5, error="x")),
    )
    post(stack.url, logs(LogRecord(), resource={"service.name": "quiet"}))
    stack.flush()
    answer = httpx.get(stack.url + "/")
    page = Reader(answer.text)
    assert answer.status_code == 200
    assert "GET /orders/{pk}" in page.text
    assert "quiet" in page.text
    assert "50 %" in page.text
    assert "488 ms" in page.text  # p95 of 250 and 500 ms
    assert f"/traces/{TRACE_ID}" in page.links


def test_an_empty_stack_has_a_page_too(stack: RunningStack):
    assert httpx.get(stack.url + "/").status_code == 200


def test_the_page_of_a_trace_shows_spans_as_a_tree_with_their_log_lines(stack: RunningStack):
    post(
        stack.url,
        traces(span(ROOT, "POST /orders", start_ns=1, duration_s=1), span(CHILD, "SELECT", parent=ROOT, start_ns=2, tag="value-7")),
    )
    ids = {"trace_id": bytes.fromhex(TRACE_ID)}
    post(
        stack.url,
        logs(
            LogRecord(body=any_value("of the child"), span_id=bytes.fromhex(CHILD), **ids),
            LogRecord(body=any_value("of no span"), **ids),
        ),
    )
    stack.flush()
    text = Reader(httpx.get(f"{stack.url}/traces/{TRACE_ID}").text).text
    places = [
        text.index(part)
        for part in ("2 spans · 2 log lines", "SELECT", "tag = value-7", "of the child", "outside these spans", "of no span")
    ]
    assert places == sorted(places)


def test_the_page_of_an_unknown_trace_is_404(stack: RunningStack):
    answer = httpx.get(f"{stack.url}/traces/<script>")
    assert (answer.status_code, "script" in Reader(answer.text).tags, "is not known here" in answer.text) == (404, False, True)


def test_nothing_a_service_sends_becomes_markup(stack: RunningStack):
    """C3, C6: names, attributes, messages and log lines may come from a stranger's request."""
    evil = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>"
    hostile = span(ROOT, evil, start_ns=time.time_ns(), error=evil, **{evil: evil})
    hostile.events.add(name=evil)
    post(stack.url, traces(hostile, resource={"service.name": evil}))
    record = LogRecord(body=any_value(evil), severity_text=evil, trace_id=bytes.fromhex(TRACE_ID), span_id=bytes.fromhex(ROOT))
    post(stack.url, logs(record, resource={"service.name": evil}))
    stack.flush()
    for path in ("/", f"/traces/{TRACE_ID}"):
        answer = httpx.get(stack.url + path)
        page = Reader(answer.text)
        assert evil in page.text
        assert not {"script", "img"} & set(page.tags)
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_style_sheet_is_the_stacks_own(stack: RunningStack):
    answer = httpx.get(stack.url + "/style.css")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert "/style.css" in Reader(httpx.get(stack.url + "/").text).links


def test_ready_says_so(stack: RunningStack):
    answer = httpx.get(stack.url + "/-/ready")
    assert (answer.status_code, answer.text) == (200, "ready\n")


def test_after_a_flush_over_http_everything_acknowledged_can_be_read(stack: RunningStack):
    """The way for tests that run the stack in another process."""
    stack.store._commit_interval_s = 60
    for number in range(1, 20):
        assert post(stack.url, traces(span(ROOT, trace_id=f"{number:032x}"))).status_code == 200
        assert httpx.post(stack.url + "/-/flush").status_code == 204
        assert stack.queries.trace(str(f"{number:x}")) is not None


def test_answers_on_a_kept_connection_do_not_wait_for_an_acknowledgement(stack: RunningStack):
    """Without TCP_NODELAY each answer takes 40 ms, and every exporter with it."""
    with httpx.Client(base_url=stack.url) as client:

        def elapsed() -> float:
            start = time.perf_counter()
            client.post("/v1/logs", content=b"{}", headers={"Content-Type": "application/json"}).raise_for_status()
            return time.perf_counter() - start

        assert min(elapsed() for _ in range(10)) < 0.03


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0 µs"), (0.000789, "789 µs"), (0.0456, "45.6 ms"), (1.234, "1.23 s"), (999.6, "1e+03 s"), (4000.0, "4000 s")],
)
def test_durations_have_three_digits(seconds: float, text: str):
    assert duration_text(seconds) == text


def test_rates_and_shares_read_well():
    assert (rate_text(12.3), rate_text(0.0042), percent_text(0.025), percent_text(0)) == ("12.30", "0.0042", "2.5 %", "0 %")
