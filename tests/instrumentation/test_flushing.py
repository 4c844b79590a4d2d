"""A flush waits for what was queued before it, and for nothing else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext

from otelkit.config import load
from otelkit.export.exporter import Exporter
from otelkit.export.sender import Answer, Verdict
from otelkit.metrics.aggregator import Aggregator
from tests.backends import wait_until


def ended(name: str) -> ReadableSpan:
    return ReadableSpan(name, context=SpanContext(1, 1, is_remote=False), start_time=1, end_time=2)


class WatchedSender:
    """Answers what it is told to, after calling what it is told to call while a request is under way."""

    def __init__(self, answer: Answer, while_sending: Callable[[str], None] = lambda signal: None) -> None:
        self.answer = answer
        self.while_sending = while_sending
        self.sent: list[str] = []

    def send(self, signal: str, body: bytes, timeout: float) -> Answer:
        self.while_sending(signal)
        self.sent.append(signal)
        return self.answer


@contextmanager
def exporting(sender: WatchedSender, **metrics: object) -> Iterator[Exporter]:
    config = load({"export": {"interval": 60}, "metrics": {"exporters": [], **metrics}})
    exporter = Exporter(config, {}, Aggregator(2000), sender)
    exporter.start()
    try:
        yield exporter
    finally:
        exporter.shutdown(5)


def test_what_others_record_meanwhile_does_not_fail_a_flush():
    """A busy service records without end; everything from before the call was sent."""
    with exporting(WatchedSender(Answer(Verdict.DELIVERED))) as exporter:
        exporter._sender.while_sending = lambda signal: exporter.span(ended("later"))
        exporter.span(ended("before"))
        assert exporter.flush(10)
        assert exporter.accounts.of["traces"].exported == 1


def test_a_flush_says_that_the_receiver_did_not_take_what_waited(caplog):
    with exporting(WatchedSender(Answer(Verdict.RETRY, "planted"))) as exporter:
        exporter.span(ended("before"))
        assert not exporter.flush(10)
    assert "planted" in caplog.text


def test_a_flush_says_that_the_receiver_did_not_take_the_metrics(caplog):
    with exporting(WatchedSender(Answer(Verdict.RETRY, "planted")), exporters=["otlp"]) as exporter:
        assert not exporter.flush(10)
        assert exporter._sender.sent == ["metrics"]
    assert "planted" in caplog.text


@pytest.mark.parametrize("flushers", [2, 20])
def test_each_of_several_flushes_waits_for_its_own(flushers):
    """Each thread finds the span that it recorded itself among the sent ones when its flush comes back."""
    sender = WatchedSender(Answer(Verdict.DELIVERED))
    barrier = threading.Barrier(flushers)
    left: list[bool] = []
    with exporting(sender) as exporter:

        def record_and_flush() -> None:
            barrier.wait(10)
            for _ in range(50):
                exporter.span(ended("mine"))
                created = exporter.accounts.of["traces"].created
                flushed = exporter.flush(30)
                left.append(flushed and exporter.accounts.of["traces"].exported >= created)

        threads = [threading.Thread(target=record_and_flush) for _ in range(flushers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert left == [True] * 50 * flushers


def test_a_flush_that_is_under_way_ends_with_the_process():
    """A receiver that answers late does not keep it until its own timeout: leaving sends the rest, and says so."""
    asked, released = threading.Event(), threading.Event()
    results: list[bool] = []

    def slow(signal: str) -> None:
        asked.set()
        released.wait(10)

    with exporting(WatchedSender(Answer(Verdict.DELIVERED), slow)) as exporter:
        exporter.span(ended("first"))
        first = threading.Thread(target=lambda: results.append(exporter.flush(30)))
        first.start()
        assert asked.wait(10)
        exporter.span(ended("second"))
        second = threading.Thread(target=lambda: results.append(exporter.flush(30)))
        second.start()
        wait_until(lambda: exporter._flushes, 10, "the second flush waits")
        exporter._closing.set()
        released.set()
        for thread in (first, second):
            thread.join(10)
            assert not thread.is_alive()
    assert results == [True, True]
