"""Messages of pika join the trace that sent them. Without a broker: of pika's channel the two methods that talk to one are replaced."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from otelkit.testing import Telemetry, capture

pika: Any = pytest.importorskip("pika", reason="pika is not installed: pip install pika")
Channel: Any = pika.adapters.blocking_connection.BlockingChannel


class Wire:
    """Between a publisher and a consumer."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, bytes, Any]] = []
        self.callbacks: dict[str, Any] = {}

    def deliver(self, channel: Any, queue: str) -> None:
        exchange, routing_key, body, properties = self.sent.pop()
        method = pika.spec.Basic.Deliver(exchange=exchange, routing_key=routing_key)
        self.callbacks[queue](channel, method, properties, body)


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    wire = Wire()

    def publish(channel: Any, exchange: str, routing_key: str, body: bytes, properties: Any = None, mandatory: bool = False) -> None:
        if exchange == "closed":
            raise pika.exceptions.ChannelWrongStateError("planted")
        wire.sent.append((exchange, routing_key, body, properties))

    def consume(channel: Any, queue: str, on_message_callback: Any, *args: Any, **kwargs: Any) -> str:
        wire.callbacks[queue] = on_message_callback
        return "tag"

    monkeypatch.setattr(Channel, "basic_publish", publish)
    monkeypatch.setattr(Channel, "basic_consume", consume)
    return wire


@pytest.fixture
def telemetry(wire: Wire) -> Iterator[Telemetry]:
    with capture() as telemetry:
        yield telemetry


@pytest.fixture
def channel() -> Any:
    return object.__new__(Channel)


def test_a_message_is_in_the_trace_that_sent_it(telemetry, wire, channel):
    """A20."""
    taken: list[bytes] = []
    assert channel.basic_consume("invoices", lambda channel, method, properties, body: taken.append(body)) == "tag"
    with telemetry.runtime.tracer.start_as_current_span("work"):
        channel.basic_publish("", "invoices", b"7")
    wire.deliver(channel, "invoices")
    assert taken == [b"7"]
    send, process = telemetry.span("send invoices"), telemetry.span("process invoices")
    assert (send["kind"], process["kind"], process["parent_span_id"]) == ("PRODUCER", "CONSUMER", send["span_id"])
    assert send["parent_span_id"] == telemetry.span("work")["span_id"]
    assert telemetry.point("messaging.client.sent.messages", messaging_system="rabbitmq")["value"] == 1
    assert telemetry.point("messaging.process.duration", messaging_destination_name="invoices")["count"] == 1


def test_the_projects_properties_are_left_alone(telemetry, wire, channel):
    """B10."""
    properties = pika.BasicProperties(headers={"tenant": "north"}, content_type="text/plain")
    channel.basic_publish("", "invoices", b"7", properties)
    (_, _, _, sent) = wire.sent[0]
    assert properties.headers == {"tenant": "north"}
    assert (sent.headers["tenant"], sent.content_type, "traceparent" in sent.headers) == ("north", "text/plain", True)


def test_failures_are_errors_and_go_on(telemetry, wire, channel):
    """B6."""

    def fail(*_: Any) -> None:
        raise ValueError("planted")

    channel.basic_consume("invoices", on_message_callback=fail)
    channel.basic_publish(exchange="", routing_key="invoices", body=b"7")
    with pytest.raises(ValueError, match="planted"):
        wire.deliver(channel, "invoices")
    with pytest.raises(pika.exceptions.ChannelWrongStateError):
        channel.basic_publish("closed", "invoices", b"7")
    assert telemetry.span("process invoices")["attributes"]["error.type"] == "ValueError"
    assert telemetry.span("send closed")["attributes"]["error.type"] == "pika.exceptions.ChannelWrongStateError"


def test_after_the_end_pika_is_as_it_was(wire):
    """A26."""
    before = (Channel.basic_publish, Channel.basic_consume)
    with capture():
        assert Channel.basic_publish is not before[0]
    assert (Channel.basic_publish, Channel.basic_consume) == before
