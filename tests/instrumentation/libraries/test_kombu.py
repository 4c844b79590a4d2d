"""Messages of kombu join the trace that sent them, over the broker in this process's memory."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery
from kombu import Connection, Consumer, Exchange, Producer, Queue
from kombu.exceptions import OperationalError
from opentelemetry import trace

from otelkit.testing import Telemetry, capture

INVOICES = Queue("invoices", Exchange("billing", type="direct"), routing_key="invoices")
LABELS = {"messaging_system": "memory", "messaging_destination_name": "billing"}


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    with capture() as telemetry:
        yield telemetry


@pytest.fixture
def connection() -> Iterator[Connection]:
    with Connection("memory://", transport_options={"polling_interval": 0.01}) as connection:
        yield connection


def publish(connection: Connection, **more: Any) -> None:
    Producer(connection).publish({"amount": 7}, exchange=INVOICES.exchange, routing_key="invoices", declare=[INVOICES], **more)


def consume(connection: Connection, *callbacks: Any) -> None:
    with Consumer(connection, [INVOICES], callbacks=callbacks):
        connection.drain_events(timeout=10)


def accept(body: Any, message: Any) -> None:
    with trace.get_tracer("shop").start_as_current_span("book"):
        message.ack()


def test_a_message_is_in_the_trace_that_sent_it(telemetry, connection):
    """A20."""
    with telemetry.runtime.tracer.start_as_current_span("work"):
        publish(connection)
    consume(connection, accept)
    work, send, process, book = (telemetry.span(name) for name in ("work", "send billing", "process billing", "book"))
    assert (send["kind"], process["kind"]) == ("PRODUCER", "CONSUMER")
    assert [send["parent_span_id"], process["parent_span_id"], book["parent_span_id"]] == [
        work["span_id"],
        send["span_id"],
        process["span_id"],
    ]
    shared = {"messaging.system": "memory", "messaging.destination.name": "billing"}
    assert send["attributes"] == {**shared, "messaging.operation.name": "send"}
    assert process["attributes"] == {**shared, "messaging.operation.name": "process"}
    assert telemetry.point("messaging.client.operation.duration", messaging_operation_name="send", **LABELS)["count"] == 1
    assert telemetry.point("messaging.client.sent.messages", messaging_operation_name="send", **LABELS)["value"] == 1
    assert telemetry.point("messaging.client.consumed.messages", messaging_operation_name="process", **LABELS)["value"] == 1
    point = telemetry.point("messaging.process.duration", messaging_operation_name="process", **LABELS)
    assert (point["count"], point["exemplars"][0]["span_id"]) == (1, process["span_id"])
    assert not trace.get_current_span().get_span_context().is_valid


def test_what_a_consumer_raises_is_its_error_and_goes_on(telemetry, connection):
    def fail(body: Any, message: Any) -> None:
        message.ack()
        raise ValueError("planted")

    publish(connection)
    with pytest.raises(ValueError, match="planted"):
        consume(connection, fail)
    span = telemetry.span("process billing")
    assert (span["status"], span["attributes"]["error.type"]) == ("ERROR", "ValueError")
    assert telemetry.point("messaging.process.duration", error_type="ValueError")["count"] == 1
    assert not trace.get_current_span().get_span_context().is_valid


def test_a_broker_that_is_not_there_is_an_error_of_the_sender(telemetry):
    """B6."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with Connection(f"amqp://127.0.0.1:{port}//", connect_timeout=2) as lonely, pytest.raises(OperationalError, match="refused"):
        Producer(lonely, auto_declare=False).publish("lost", routing_key="invoices")
    span = telemetry.span("send invoices")
    assert (span["status"], span["attributes"]["messaging.system"]) == ("ERROR", "rabbitmq")
    assert telemetry.point("messaging.client.sent.messages", error_type="kombu.exceptions.OperationalError")["value"] == 1


def test_headers_of_the_project_stay_and_its_own_dictionary_is_left_alone(telemetry, connection):
    """B10."""
    headers = {"tenant": "north"}
    seen: list[dict[str, Any]] = []

    def keep(body: Any, message: Any) -> None:
        seen.append(message.headers)
        message.ack()

    publish(connection, headers=headers)
    consume(connection, keep)
    assert seen[0]["tenant"] == "north"
    assert "traceparent" in seen[0]
    assert headers == {"tenant": "north"}


def test_a_queue_that_only_keeps_messages_has_sent_them_and_works_on_none(telemetry, connection):
    queue = connection.SimpleQueue("simple")
    queue.put("hello")
    queue.get(timeout=10).ack()
    queue.close()
    assert [span["name"] for span in telemetry.spans] == ["send simple"]


def test_what_celery_sends_is_recorded_as_a_task(telemetry):
    """A4: once."""
    shop = Celery("kombu-test", broker="memory://", set_as_current=False)
    shop.conf.task_default_queue = "kombu-test"
    shop.send_task("orders.ship")
    assert [span["name"] for span in telemetry.spans] == ["send orders.ship"]
    assert "messaging.client.sent.messages" not in telemetry.metrics


def test_after_the_end_kombu_is_as_it_was():
    """A25, A26."""
    before = (Producer.publish, Consumer.receive)
    with capture():
        assert Producer.publish is not before[0]
    assert (Producer.publish, Consumer.receive) == before
    with capture({"libraries": {"disabled": ["kombu"]}}):
        assert (Producer.publish, Consumer.receive) == before
