"""More telemetry than usual: nothing is lost, or what is lost is counted, and memory stays where the settings say."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from otelkit.export.queue import Queue
from otelkit.export.sizes import RECORD, SPAN, size_of_record, size_of_span
from otelkit.logs.item import LogItem
from tests.instrumentation.test_export import spans_in
from tests.receivers import receiver, refused_endpoint
from tests.rotel import rotel


def flood(endpoint: str, *arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.instrumentation.flood", endpoint, *arguments]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stderr
    said: dict[str, Any] = json.loads(run.stdout)
    assert said["created"] == said["exported"] + sum(said["dropped"].values()) + said["queued"]
    return said


def test_a_hundred_thousand_spans_at_twenty_thousand_a_second_arrive_or_are_counted():
    """B2, B4: what the books call exported is what the receiver has, each span once."""
    with receiver() as running:
        said = flood(running.endpoint, "--spans", "100000", "--rate", "20000")
        arrived = [span.span_id for span, _ in spans_in(running.requests)]
    assert said["created"] == 100_000
    assert said["queued"] == 0
    assert said["exported"] == len(arrived) == len(set(arrived))
    assert sum(said["dropped"].values()) == said["dropped"]["queue_full"], "only a full queue may cost spans while the receiver is healthy"
    assert said["grown_mb"] < 100


def test_a_foreign_receiver_counts_what_we_count():
    """B2, B4: rotel, written by others in another language, reads the same number of spans."""
    with rotel() as running:
        said = flood(running.endpoint, "--spans", "30000", "--rate", "20000")
        running.wait_for_spans(said["exported"])
    assert said["exported"] + said["dropped"]["queue_full"] == 30_000


def test_large_attributes_do_not_fill_the_memory_while_nobody_listens():
    """B4: 2 GB of attributes in 200 spans; 64 MB of them may wait."""
    said = flood(refused_endpoint(), "--spans", "200", "--attribute", "10000000", "--queue-bytes", "64000000")
    assert said["exported"] == 0
    assert said["dropped"]["queue_full"] + said["dropped"]["shutdown"] == 200
    assert said["grown_mb"] < 250  # what waits, and as much in the sender's hands


def item(**attributes: object) -> LogItem:
    return LogItem(1, 9, "INFO", "said", attributes, 0, 0, 0, "")


def test_a_queue_gives_up_the_oldest_when_the_bytes_are_too_many():
    """B2, B4: whatever the number, and also when items are put back."""
    from otelkit.export.accounting import Account

    account = Account()
    queue = Queue(1_000, 10 * 100_000, size_of_record, account)
    for number in range(20):
        queue.put(item(number=number, large=str(number).ljust(99_000, "x")))
    assert 8 <= len(queue) <= 10
    assert queue.bytes <= 1_000_000
    waiting = len(queue)
    taken = queue.take(3)
    assert [found.attributes["number"] for found in taken] == [20 - waiting, 21 - waiting, 22 - waiting]
    queue.put(item(large="x" * 990_000))
    assert len(queue) == 1
    queue.put_back(taken)
    created, exported, dropped, left = account.totals()
    assert (created, exported, dropped["queue_full"], left) == (21, 0, 20, 1)
    assert len(queue.take(10)) == 1
    assert queue.bytes == 0


def test_an_item_that_is_larger_than_the_queue_is_given_up_at_once():
    from otelkit.export.accounting import Account

    account = Account()
    queue = Queue(10, 1_000_000, size_of_record, account)
    assert queue.put(item(large="x" * 2_000_000)) == 0
    assert account.totals()[2]["queue_full"] == 1
    assert queue.bytes == 0


@pytest.mark.parametrize(
    ("value", "least"),
    [
        ("x" * 5_000, 5_000),
        ("é" * 5_000, 5_000),
        ("😀" * 5_000, 20_000),
        (b"x" * 5_000, 5_000),
        (["x" * 100] * 50, 5_000),
        ({"a": {"b": "x" * 5_000}}, 5_000),
    ],
    ids=["text", "latin", "emoji", "bytes", "list", "nested"],
)
def test_the_size_of_an_item_grows_with_what_it_holds(value, least):
    assert RECORD + least <= size_of_record(item(value=value)) <= RECORD + 3 * least


def test_the_size_of_a_span_counts_its_events_and_links():
    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
    from opentelemetry.trace import Link, SpanContext

    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("shop")
    span = tracer.start_span("buy", links=[Link(SpanContext(1, 2, False), {"a": "x" * 10_000})])
    span.add_event("e", {"b": "x" * 10_000})
    span.set_attribute("c", "x" * 10_000)
    span.end()
    by_hand = ReadableSpan("buy", attributes=dict(span.attributes), events=span.events, links=span.links)
    assert SPAN + 30_000 < size_of_span(span) < SPAN + 40_000
    assert SPAN + 30_000 < size_of_span(by_hand) < SPAN + 40_000
    assert size_of_span(ReadableSpan("empty")) == SPAN
