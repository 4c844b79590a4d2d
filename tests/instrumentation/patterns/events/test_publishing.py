"""publish(): together with the data or not at all, in the order of commits, and clear about what it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.test import override_settings

from otelkit import startup
from otelkit.config import load
from otelkit.errors import ConfigError
from otelkit.patterns.events import CloudEvent, NoTransactionError, publish
from otelkit.patterns.events.cloudevent import NotAnEventError
from otelkit.patterns.events.configuring import chosen
from otelkit.patterns.events.models import OutboxEvent
from otelkit.status import status
from tests.instrumentation.patterns.events.conftest import Post


@pytest.fixture(autouse=True)
def _settings_are_read_anew() -> Iterator[None]:
    chosen.cache_clear()
    yield
    chosen.cache_clear()


def test_outside_of_a_transaction_it_is_refused_with_the_way_on():
    with pytest.raises(NoTransactionError, match=r'publish\("order.placed"\) needs a transaction on the database "default".*atomic\(\)'):
        publish("order.placed", destination="orders")
    assert not OutboxEvent.objects.exists()


def test_a_setting_allows_it():
    with override_settings(OTELKIT={"events": {"require_transaction": False}}):
        publish("order.placed", destination="orders")
    assert OutboxEvent.objects.count() == 1


def test_what_is_rolled_back_was_never_published():
    with transaction.atomic():
        publish("order.placed", destination="orders", aggregate="order-1")
        transaction.set_rollback(True)
    assert not OutboxEvent.objects.exists()
    with transaction.atomic():
        assert publish("order.placed", destination="orders", aggregate="order-1").position == 1, "and left no gap"


def test_the_row_has_the_fields_of_cloudevents(post: Post):
    with override_settings(OTELKIT={"service": {"name": "orders"}}):
        row = post.publish("order.placed", {"total": Decimal("9.90")}, subject="42", aggregate="order-42")
    assert (row.source, row.type, row.subject, row.aggregate, row.position) == ("orders", "order.placed", "42", "order-42", 1)
    assert len(row.event_id) == 32
    assert (row.traceparent, row.tracestate) == ("", "")


def test_positions_count_up_by_aggregate_and_destination(post: Post):
    numbered = [post.publish(aggregate=name).position for name in ("a", "a", "b", "a")]
    assert numbered == [1, 2, 1, 3]
    assert post.publish(aggregate="a", destination="bills").position == 1
    assert post.publish().position is None


def test_the_same_event_twice_is_refused_by_the_database(post: Post):
    post.publish(id="once")
    with pytest.raises(IntegrityError):
        post.publish(id="once")
    post.publish(id="once", source="another service")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"type": ""}, "needs type, and was given an empty text"),
        ({"destination": "", "type": ""}, "needs type and destination"),
        ({"aggregate": "a" * 201}, "aggregate must be a text of at most 200 characters"),
        ({"subject": "a\0b"}, "subject must be a text of at most 200 characters without NUL"),
        ({"id": 7}, "id must be a text"),
    ],
)
def test_names_that_no_database_takes_are_refused_by_name(post: Post, given: dict[str, str], says: str):
    with pytest.raises(ValueError, match=says):
        post.publish(**{"type": "order.placed", **given})


def test_data_that_json_cannot_hold_raises_where_it_was_given(post: Post):
    with pytest.raises(TypeError, match="not JSON serializable"):
        post.publish(data=object())
    assert not OutboxEvent.objects.exists()


def test_a_relay_without_a_broker_says_which_setting_it_lacks():
    from django.core.management import CommandError, call_command

    with pytest.raises(CommandError, match=r'OTELKIT\["events"\]\["broker"\] is not set.*OTELKIT_EVENTS_BROKER'):
        call_command("outbox", "relay", "--once")


def test_with_the_kit_off_everything_works_and_nothing_is_recorded(post: Post):
    assert startup.current() is None
    post.declare()
    post.publish(data={"order": 1})
    assert post.relay() == 1
    assert post.consume() == 1
    (event,) = post.taken
    assert (event.data, event.traceparent) == ({"order": 1}, "")


def test_an_event_survives_the_wire():
    event = CloudEvent(
        "1", "orders", "order.placed", {"ä": [1, None]}, "42", datetime(2026, 1, 1, tzinfo=UTC), "order-42", 7, "00-1", "a=1"
    )
    assert CloudEvent.from_json(event.to_json()) == event
    assert '"sequence":"00000000000000000007"' in event.to_json(), "sorts as a text"
    assert '"time":"2026-01-01T00:00:00Z"' in event.to_json()


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"\xff", "the body is no JSON"),
        ("[]", "the body is a JSON list, not an object"),
        ('{"id": "1", "type": 7}', "it lacks specversion, source, type"),
        ('{"specversion": "1.0", "id": "%s", "source": "s", "type": "t"}' % ("x" * 201), "its id has more than 200 characters"),
        ('{"specversion": "1.0", "id": "\\u0000", "source": "s", "type": "t"}', "its id has more"),
        ('{"specversion": "1.0", "id": "\\ud800", "source": "s", "type": "t"}', "its id has more"),
    ],
)
def test_what_is_no_event_says_why(body: bytes | str, says: str):
    with pytest.raises(NotAnEventError, match=says):
        CloudEvent.from_json(body)


@pytest.mark.parametrize("sequence", ["x", "-1", "0", "9" * 20, "9" * 30, "²"])
def test_a_sequence_that_is_no_number_of_a_column_is_left_out(sequence: str):
    body = f'{{"specversion": "1.0", "id": "1", "source": "s", "type": "t", "sequence": "{sequence}", "time": "2026-02-31T00:00:00Z"}}'
    event = CloudEvent.from_json(body)
    assert (event.position, event.time) == (None, None)


def test_the_broker_s_password_is_shown_nowhere(monkeypatch: pytest.MonkeyPatch):
    """C1: neither where its address is wrong nor where it is right."""
    with pytest.raises(ConfigError, match="must be an address like amqp") as raised:
        load({"events": {"broker": "rabbit:hunter2@host"}}, {})
    assert "hunter2" not in str(raised.value)
    monkeypatch.setenv("OTELKIT_EVENTS_BROKER", "amqp://user:hunter2@rabbit//")
    shown = str(status())
    assert "events.broker " in shown
    assert "hunter2" not in shown
