"""The relay: at least once, in order, past what fails, and no more than one of them at an aggregate."""

from __future__ import annotations

import io
import logging
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from otelkit.patterns.events import letters
from otelkit.patterns.events.broker import Broker, UnreachableError
from otelkit.patterns.events.claiming import claimed
from otelkit.patterns.events.models import OutboxEvent
from otelkit.patterns.events.relay import Relay
from otelkit.patterns.jitter import full_jitter
from otelkit.testing import capture
from tests.instrumentation.patterns.events.conftest import Post


class Picky(Broker):
    """A broker of this process, which refuses some types and may be away."""

    def __init__(self, *refused: str) -> None:
        super().__init__("memory://")
        self.refused = set(refused)
        self.is_away = False
        self.sent: list[str] = []

    def publish(self, destination: str, body: str, headers: dict[str, str], message_id: str) -> None:
        if self.is_away:
            raise UnreachableError("nobody listens")
        row = OutboxEvent.objects.get(event_id=message_id)
        if row.type in self.refused:
            raise ValueError("too large")
        self.sent.append(row.type)


def test_events_leave_in_the_order_in_which_they_were_stored(post: Post):
    for number in range(5):
        post.publish(str(number), aggregate="a")
    broker = Picky()
    assert Relay(broker, post.settings).run_once() == 5
    assert broker.sent == ["0", "1", "2", "3", "4"]
    assert Relay(broker, post.settings).run_once() == 0


def test_an_event_that_is_refused_holds_up_its_aggregate_and_no_other(post: Post, states: Any):
    for kind, aggregate in (("a1", "a"), ("b1", "b"), ("b2", "b"), ("free", "")):
        post.publish(kind, aggregate=aggregate)
    broker = Picky("b1")
    Relay(broker, post.settings).run_once()
    assert broker.sent == ["a1", "free"]
    assert states() == {"a1": "published", "b1": "pending", "b2": "pending", "free": "published"}
    assert OutboxEvent.objects.get(type="b1").error == "ValueError: too large"
    OutboxEvent.objects.filter(type="b1").update(due_at=timezone.now() + timedelta(hours=1))
    assert Relay(broker, post.settings).run_once() == 0, "b2 stays behind b1, which is not due"
    broker.refused.clear()
    OutboxEvent.objects.filter(type="b1").update(due_at=timezone.now())
    Relay(broker, post.settings).run_once()
    assert broker.sent == ["a1", "free", "b1", "b2"]


def test_after_its_last_attempt_an_event_is_a_dead_letter_and_lets_the_others_go(post: Post, states: Any, caplog: pytest.LogCaptureFixture):
    post = post.with_settings(attempts=2, retry_base=0.01, retry_cap=0.01)
    post.publish("b1", aggregate="b")
    post.publish("b2", aggregate="b")
    broker = Picky("b1")
    relay = Relay(broker, post.settings)
    with caplog.at_level(logging.WARNING, "otelkit.events"):
        relay.run_once()
        OutboxEvent.objects.update(due_at=timezone.now())
        relay.run_once()
        relay.run_once()
    assert states() == {"b1": "dead", "b2": "published"}
    refused, dead = caplog.records
    assert refused.getMessage().startswith("The broker refused an event, which is tried again in 0.0 s: b1 ")
    assert dead.getMessage().startswith("An event is a dead letter after 2 attempts: b1 ")
    assert dead.__dict__["event.name"] == "outbox.dead"

    (letter,) = letters.dead_in_outbox("default", 10)
    said = io.StringIO()
    call_command("outbox", "dead", stdout=said)
    assert f"{letter.number}  " in said.getvalue()
    assert "b1 at orders of b, 2 attempts: ValueError: too large" in said.getvalue()
    broker.refused.clear()
    call_command("outbox", "replay", str(letter.number), stdout=said)
    assert "1 dead letters are tried again." in said.getvalue()
    relay.run_once()
    assert states() == {"b1": "published", "b2": "published"}
    assert broker.sent == ["b2", "b1"]


def test_a_broker_that_is_away_is_no_event_s_fault(post: Post, states: Any):
    post.publish("first")
    broker = Picky()
    broker.is_away = True
    for _ in range(20):
        with pytest.raises(UnreachableError):
            Relay(broker, post.settings).run_once()
    assert OutboxEvent.objects.get().attempts == 0
    broker.is_away = False
    Relay(broker, post.settings).run_once()
    assert states() == {"first": "published"}


def test_what_was_sent_before_the_broker_went_away_is_not_sent_again(post: Post, states: Any):
    for number in range(4):
        post.publish(str(number), aggregate="a")

    class Leaving(Picky):
        def publish(self, *arguments: Any) -> None:
            self.is_away = len(self.sent) == 2
            super().publish(*arguments)

    broker = Leaving()
    with pytest.raises(UnreachableError):
        Relay(broker, post.settings).run_once()
    assert list(states().values()) == ["published", "published", "pending", "pending"]
    Relay(staying := Picky(), post.settings).run_once()
    assert staying.sent == ["2", "3"]


def test_the_loop_outlives_a_broker_that_is_away_and_says_so_once(post: Post, caplog: pytest.LogCaptureFixture):
    post = post.with_settings(retry_base=0.01, retry_cap=0.01, poll=0.01)
    post.publish("first")
    ending = threading.Event()

    class Coming(Picky):
        tries = 0

        def publish(self, *arguments: Any) -> None:
            self.tries += 1
            self.is_away = self.tries < 5
            super().publish(*arguments)
            ending.set()

    with caplog.at_level(logging.INFO, "otelkit.events"):
        Relay(Coming(), post.settings).run(ending)
    assert [record.getMessage() for record in caplog.records] == [
        "The relay waits for what it needs: UnreachableError: nobody listens",
        "The relay goes on after 4 attempts.",
    ]


def test_a_message_that_no_queue_takes_is_no_silent_loss(post: Post, states: Any):
    post.publish("first")
    assert post.relay() == 1
    assert states() == {"first": "pending"}
    assert "UndeliverableWarning" in OutboxEvent.objects.get().error


def test_two_relays_are_never_at_the_same_aggregate(post: Post):
    for number in range(6):
        post.publish(str(number), aggregate="ab"[number % 2])
    post.publish("free")
    with claimed("default", 1, 30.0) as first, claimed("default", 100, 30.0) as second:
        assert [event.type for event in first] == ["0"]
        assert [event.type for event in second] == ["1", "3", "5", "free"]
        with claimed("default", 100, 30.0) as third:
            assert third == []


def test_the_lease_of_a_relay_that_died_runs_out(post: Post):
    post.publish("first", aggregate="a")
    with claimed("default", 100, 0.0) as lost:
        assert len(lost) == 1
    with claimed("default", 100, 30.0) as found:
        assert [event.type for event in found] == ["first"]


def test_a_batch_holds_the_rest_of_an_aggregate_but_no_more_than_its_size(post: Post):
    for number in range(10):
        post.publish(str(number), aggregate="a")
    broker = Picky()
    assert Relay(broker, post.with_settings(batch=4).settings).run_once() == 4
    assert broker.sent == ["0", "1", "2", "3"]


def test_the_counts_are_what_happened(post: Post):
    for kind in ("a", "b", "bad"):
        post.publish(kind)
    with capture() as telemetry:
        Relay(Picky("bad"), post.settings).run_once()
        assert telemetry.point("outbox.published", messaging_destination_name="orders", outcome="ok")["value"] == 2
        assert telemetry.point("outbox.published", messaging_destination_name="orders", outcome="error")["value"] == 1
        assert telemetry.point("outbox.publish.lag")["count"] == 2
        failed = telemetry.assert_span("send orders", status="ERROR", kind="PRODUCER")
        assert failed["attributes"]["error.type"] == "ValueError"


def test_old_rows_can_be_thrown_away(post: Post):
    for kind in ("old", "new", "bad"):
        post.publish(kind)
    Relay(Picky("bad"), post.settings).run_once()
    OutboxEvent.objects.filter(type="old").update(published_at=timezone.now() - timedelta(days=8))
    said = io.StringIO()
    call_command("outbox", "purge", stdout=said)
    assert said.getvalue() == "1 rows are gone.\n"
    assert set(OutboxEvent.objects.values_list("type", flat=True)) == {"new", "bad"}


@pytest.mark.parametrize(("attempt", "bound"), [(1, 1.0), (2, 2.0), (5, 16.0), (1000, 30.0)])
def test_a_retry_waits_anything_up_to_a_bound_that_doubles(attempt: int, bound: float):
    waits = [full_jitter(attempt, 1.0, 30.0) for _ in range(500)]
    assert 0 <= min(waits) < 0.2 * bound
    assert 0.8 * bound < max(waits) <= bound
