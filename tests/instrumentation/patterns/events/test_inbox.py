"""The inbox: once by effect, in order, and nothing is forgotten."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from otelkit.errors import OtelkitError
from otelkit.patterns.events import CloudEvent, subscribe
from otelkit.patterns.events.broker import Broker
from otelkit.patterns.events.consumer import Consumer
from otelkit.patterns.events.inbox import Inbox, Outcome
from otelkit.patterns.events.models import InboxEvent, InboxStream
from otelkit.patterns.events.subscribing import subscriptions
from otelkit.testing import capture
from tests.instrumentation.patterns.events.conftest import Post
from tests.project.models import Item


def event(number: int, aggregate: str = "a", *, position: int | None = 0) -> CloudEvent:
    """Event of this number, which is also its position unless another one is given."""
    return CloudEvent(
        f"{aggregate}{number}", "orders", "order.placed", number, aggregate=aggregate, position=number if position == 0 else position
    )


@pytest.fixture
def failing() -> set[str]:
    """Ids of events at which the handler fails."""
    return set()


@pytest.fixture
def inbox(post: Post, failing: set[str]) -> Inbox:
    def handle(found: CloudEvent) -> None:
        Item.objects.create(name=found.id)
        if found.id in failing:
            raise RuntimeError("no stock")
        post.taken.append(found)

    fast = post.with_settings(attempts=3, retry_base=0.01, retry_cap=0.01)
    return Inbox(post.subscription(handle), fast.settings)


@pytest.fixture
def taken(post: Post) -> Callable[[], list[str]]:
    return lambda: [found.id for found in post.taken]


@pytest.fixture(autouse=True)
def _no_items() -> None:
    Item.objects.all().delete()


def overdue() -> None:
    """Everything that waits for its time is due."""
    InboxEvent.objects.filter(due_at__isnull=False).update(due_at=timezone.now() - timedelta(seconds=1))


def test_an_event_that_is_delivered_twice_has_its_effect_once(inbox: Inbox, taken: Callable[[], list[str]]):
    assert [inbox.take(event(1)), inbox.take(event(1))] == [Outcome.OK, Outcome.DUPLICATE]
    assert taken() == ["a1"]
    assert Item.objects.count() == 1


def test_two_consumers_each_have_every_event(post: Post):
    shipped: list[CloudEvent] = []
    billed: list[CloudEvent] = []
    post.declare("shipping", "billing")
    post.publish("order.placed")
    post.relay()
    assert post.consume(post.subscription(shipped.append), post.subscription(billed.append, consumer="billing")) == 2
    assert [one.type for one in (*shipped, *billed)] == ["order.placed", "order.placed"]


def test_what_a_failed_handler_wrote_is_undone_and_tried_again(
    inbox: Inbox, failing: set[str], taken: Callable[[], list[str]], caplog: pytest.LogCaptureFixture
):
    failing.add("a1")
    with caplog.at_level(logging.WARNING, "otelkit.events"):
        assert inbox.take(event(1)) == Outcome.FAILED
    assert not Item.objects.exists()
    (said,) = caplog.records
    assert said.getMessage().startswith("The consumer shipping of orders failed with a1, and tries again in 0.0 s.")
    assert said.exc_info is not None
    assert inbox.take(event(1)) == Outcome.DUPLICATE, "a second delivery is no second attempt: it is stored already"
    failing.clear()
    overdue()
    assert inbox.retry_due() == 1
    assert (taken(), Item.objects.count()) == (["a1"], 1)
    assert InboxEvent.objects.get().body == "", "what is done keeps its mark alone"


def test_after_its_last_attempt_an_event_is_dead_and_can_be_replayed(
    inbox: Inbox, failing: set[str], taken: Callable[[], list[str]], caplog: pytest.LogCaptureFixture
):
    failing.add("a1")
    with caplog.at_level(logging.CRITICAL, "otelkit.events"):
        inbox.take(event(1))
        assert inbox.take(event(2)) == Outcome.EARLY, "it waits for the one that failed"
        for _ in range(2):
            InboxEvent.objects.filter(event_id="a1").update(due_at=timezone.now())
            inbox.retry_due()
    assert InboxEvent.objects.get(event_id="a1").state == "dead"
    assert taken() == ["a2"], "the dead one holds up nobody"

    said = io.StringIO()
    call_command("inbox", "dead", stdout=said)
    assert "shipping at orders of a, 3 attempts: RuntimeError: no stock (a1)" in said.getvalue()
    failing.clear()
    call_command("inbox", "replay", "--all", stdout=said)
    inbox.retry_due()
    assert taken() == ["a2", "a1"]
    call_command("inbox", "dead", stdout=said)
    assert said.getvalue().endswith("No dead letters.\n")


def test_events_that_come_in_any_order_have_their_effect_in_theirs(inbox: Inbox, taken: Callable[[], list[str]]):
    outcomes = [inbox.take(event(number)) for number in (3, 2, 4, 1, 5)]
    assert outcomes == [Outcome.EARLY, Outcome.EARLY, Outcome.EARLY, Outcome.OK, Outcome.OK]
    assert taken() == ["a1", "a2", "a3", "a4", "a5"]
    assert InboxStream.objects.get().position == 5


def test_what_never_comes_is_waited_for_only_so_long(inbox: Inbox, taken: Callable[[], list[str]], caplog: pytest.LogCaptureFixture):
    inbox.take(event(1))
    inbox.take(event(4))
    inbox.take(event(3))
    assert inbox.retry_due() == 0
    overdue()
    with caplog.at_level(logging.WARNING, "otelkit.events"):
        inbox.retry_due()
    assert taken() == ["a1", "a3", "a4"]
    (said,) = caplog.records
    assert said.getMessage() == "The consumer shipping of orders goes on without what should come before event 3 of a."
    assert inbox.take(event(2)) == Outcome.OK, "late is better than never"
    assert InboxStream.objects.get().position == 4


def test_one_that_failed_is_waited_for_longer(inbox: Inbox, failing: set[str], taken: Callable[[], list[str]]):
    failing.add("a1")
    inbox.take(event(1))
    inbox.take(event(2))
    InboxEvent.objects.filter(event_id="a2").update(due_at=timezone.now() - timedelta(seconds=1))
    InboxEvent.objects.filter(event_id="a1").update(due_at=timezone.now() + timedelta(hours=1))
    inbox.retry_due()
    assert taken() == []


def test_without_an_order_nothing_waits(post: Post, taken: Callable[[], list[str]]):
    inbox = Inbox(post.subscription(ordered=False), post.settings)
    assert inbox.take(event(2)) == inbox.take(event(1)) == Outcome.OK
    assert Inbox(post.subscription(consumer="other"), post.settings).take(event(7, "", position=None)) == Outcome.OK
    assert taken() == ["a2", "a1", "7"]


def test_aggregates_wait_for_their_own_only(inbox: Inbox, taken: Callable[[], list[str]]):
    inbox.take(event(2, "a"))
    inbox.take(event(1, "b"))
    assert taken() == ["b1"]


def test_a_message_that_is_no_event_becomes_a_dead_letter_and_is_not_delivered_again(post: Post, caplog: pytest.LogCaptureFixture):
    post.declare()
    with Broker.of(post.settings) as broker:
        broker.publish("orders", "no event", {}, "1")
    with caplog.at_level(logging.ERROR, "otelkit.events"):
        assert post.consume() == 1
    assert post.consume() == 0
    (said,) = caplog.records
    assert said.getMessage().startswith("The consumer shipping of orders was sent what is no CloudEvent: the body is no JSON")
    assert InboxEvent.objects.get().body == "no event"
    call_command("inbox", "replay", "--all", stdout=io.StringIO())
    assert InboxEvent.objects.get().state == "dead", "trying again makes no event of it"


def test_an_event_is_delivered_again_when_its_consumer_stops_before_the_end(post: Post, taken: Callable[[], list[str]]):
    """Ctrl-C in a handler: nothing is marked, nothing acknowledged."""
    post.declare()
    post.publish("order.placed")
    post.relay()

    def interrupt(_: CloudEvent) -> None:
        raise KeyboardInterrupt

    with Broker.of(post.settings) as broker, pytest.raises(KeyboardInterrupt):
        Consumer(broker, [post.subscription(interrupt)], post.settings).drain()
    assert not InboxEvent.objects.exists()
    assert post.consume() == 1
    assert len(taken()) == 1


def test_the_counts_are_what_happened(inbox: Inbox, failing: set[str], caplog: pytest.LogCaptureFixture):
    failing.update(("bad1",))
    with capture() as telemetry, caplog.at_level(logging.CRITICAL, "otelkit.events"):
        for one in (event(1), event(1), event(3), event(2), event(1, "bad")):
            inbox.take(one)
        for _ in range(2):
            overdue()
            inbox.retry_due()
        counted = {point["attributes"]["outcome"]: point["value"] for point in telemetry.metrics["inbox.processed"]}
        telemetry.assert_span("process orders", status="ERROR", times=3)
    assert counted == {"ok": 3, "duplicate": 1, "early": 1, "failed": 2, "dead": 1}


def test_what_is_rolled_back_is_not_counted(inbox: Inbox):
    with capture() as telemetry:
        with transaction.atomic():
            inbox.take(event(1))
            transaction.set_rollback(True)
        assert "inbox.processed" not in telemetry.metrics
    assert not InboxEvent.objects.exists()


def test_old_marks_can_be_thrown_away(inbox: Inbox):
    inbox.take(event(1))
    inbox.take(event(2))
    InboxEvent.objects.filter(event_id="a1").update(processed_at=timezone.now() - timedelta(days=8))
    said = io.StringIO()
    call_command("inbox", "purge", "--days", "7", stdout=said)
    assert said.getvalue() == "1 rows are gone.\n"
    assert inbox.take(event(1)) == Outcome.OK, "and what is delivered after that is taken anew"


class HostileError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


@pytest.mark.parametrize("error", [HostileError(), ValueError("nul \0, surrogate \ud800, password=hunter2"), ValueError("x" * 10_000_000)])
def test_whatever_a_handler_raises_is_stored_as_its_failure(post: Post, error: Exception):
    """B5, C1."""

    def handle(_: CloudEvent) -> None:
        raise error

    assert Inbox(post.subscription(handle), post.settings).take(event(1)) == Outcome.FAILED
    row = InboxEvent.objects.get()
    assert row.error.startswith(type(error).__qualname__)
    assert len(row.error) <= 500
    assert not {"\0", "\ud800"} & set(row.error)
    assert "hunter2" not in row.error


def test_handlers_are_found_by_their_consumers():
    subscribe("orders", consumer="found")(print)
    subscribe("orders", consumer="found")(print)
    assert [one.queue for one in subscriptions(("found",))] == ["orders.found"]
    with pytest.raises(OtelkitError, match=r'The consumer "found" of "orders" has a handler already: builtins\.print'):
        subscribe("orders", consumer="found")(repr)
    with pytest.raises(OtelkitError, match=r"fuond is no consumer of this project\. There are .*found"):
        subscriptions(("fuond",))
