"""Websockets of Channels: each event has a span, each connection a duration, an end and a line; on a real server, by a real client."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from otelkit.testing import Telemetry, capture
from tests.backends import wait_until

pytest.importorskip("channels", reason="channels is not installed: pip install channels")

from channels.consumer import AsyncConsumer
from channels.routing import URLRouter
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from otelkit.catalog.spans import WEBSOCKET_EVENT
from otelkit.libraries.channels import LIBRARY
from tests.instrumentation.libraries.sockets import APPLICATION, Echo, served

TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
HEADERS = {"traceparent": f"00-{TRACE}-{CALLER}-01", "baggage": "tenant=north", "x-request-id": "order-7"}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served() as address:
        yield address


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    with capture() as telemetry:
        yield telemetry


def ended(telemetry: Telemetry, number: int = 1) -> list[dict[str, Any]]:
    """The lines of connections that are over, once there are so many."""

    def found() -> list[dict[str, Any]]:
        return [line for line in telemetry.lines if line.get("event.name") == "websocket.connection"]

    wait_until(lambda: len(found()) >= number, 30, "the connection does not end")
    return found()


def send_the_last(socket: ClientConnection, text: str) -> None:
    """Sends what ends the connection, and waits for its end."""
    socket.send(text)
    with pytest.raises(ConnectionClosed):
        socket.recv()


def test_a_handshake_is_in_the_trace_of_its_caller_and_each_message_in_one_that_leads_there(telemetry, address):
    """A4, A10: a connection has no end in sight, so its messages are no children of it."""
    with connect(f"{address}/ws/rooms/lobby/", additional_headers=HEADERS) as socket:
        for text in ("one", "two"):
            socket.send(text)
            assert socket.recv() == text
    ended(telemetry)
    route = "/ws/rooms/{room}/"
    first = telemetry.span(f"connect {route}")
    assert (first["kind"], first["trace_id"], first["parent_span_id"]) == ("SERVER", TRACE, CALLER)
    messages = [span for span in telemetry.spans if span["name"] == f"receive {route}"]
    last = telemetry.span(f"disconnect {route}")
    assert len({span["trace_id"] for span in (first, last, *messages)}) == 4
    for span in (last, *messages):
        assert not span["parent_span_id"]
        assert span["links"] == [TRACE]
    attributes = first["attributes"]
    assert attributes["http.route"] == route
    assert attributes["url.path"] == "/ws/rooms/lobby/"
    assert attributes["code.function.name"].endswith("sockets.Echo")
    assert (last["attributes"]["websocket.close_code"], last["attributes"]["websocket.outcome"]) == ("1000", "ok")
    known = {label.name for label in WEBSOCKET_EVENT.attributes}
    assert all(set(span["attributes"]) <= known for span in (first, last, *messages))


def test_every_line_of_a_connection_has_the_id_of_its_request_and_the_trace_of_its_event(telemetry, address):
    """A1."""
    with connect(f"{address}/ws/rooms/lobby/", additional_headers=HEADERS) as socket:
        socket.send("hello")
        socket.recv()
    (line,) = ended(telemetry)
    came, message = (next(one for one in telemetry.lines if one["message"] == text) for text in ("somebody comes", "a message came"))
    assert {one["request.id"] for one in (came, message, line)} == {"order-7"}
    assert {one["http.route"] for one in (came, message, line)} == {"/ws/rooms/{room}/"}
    assert (came["trace_id"], line["trace_id"]) == (TRACE, TRACE)
    assert message["span_id"] == telemetry.span("receive /ws/rooms/{room}/")["span_id"]
    assert (line["level"], line["message"]) == ("info", "websocket /ws/rooms/{room}/ ok 1000")
    assert (line["websocket.received"], line["websocket.sent"], line["websocket.outcome"]) == (1, 1, "ok")


def test_what_a_connection_is_counts_and_how_it_ends(telemetry, address):
    with connect(f"{address}/ws/rooms/lobby/") as socket:
        socket.send("hello")
        socket.recv()
        assert telemetry.point("websocket.server.active_connections")["value"] == 1
    ended(telemetry)
    assert telemetry.point("websocket.server.active_connections")["value"] == 0
    assert telemetry.point("websocket.server.sent.messages", http_route="/ws/rooms/{room}/")["value"] == 1
    assert telemetry.point("websocket.server.connection.duration", websocket_outcome="ok", websocket_close_code="1000")["count"] == 1
    events = {event: telemetry.point("websocket.server.event.duration", websocket_event=event)["count"] for event in ("connect", "receive")}
    assert events == {"connect": 1, "receive": 1}


@pytest.mark.parametrize(("path", "route"), [("/ws/rooms/lobby/", "/ws/rooms/{room}/"), ("/ws/sync/s3cr3t/", "/ws/sync/{token}/")])
def test_a_consumer_that_raises_ends_its_connection_with_an_error(telemetry, address, path, route):
    """A8, B6: sync and async; the line about it is in the trace of the message."""
    with connect(f"{address}{path}") as socket:
        send_the_last(socket, "boom")
    (line,) = ended(telemetry)
    failed = telemetry.span(f"receive {route}")
    assert (failed["attributes"]["error.type"], failed["status"]) == ("ValueError", "ERROR")
    assert (line["level"], line["trace_id"], line["websocket.outcome"]) == ("error", failed["trace_id"], "error")
    assert telemetry.point("errors.captured", exception_type="ValueError", http_route=route)["value"] == 1
    assert telemetry.point("websocket.server.connection.duration", websocket_outcome="error", error_type="ValueError")["count"] == 1
    found = [(where, str(what)) for where, what in telemetry.outputs() if "s3cr3t" in str(what)]
    assert found == []


def test_a_sync_consumer_works_in_the_trace_of_its_message(telemetry, address):
    with connect(f"{address}/ws/sync/t/") as socket:
        socket.send("hello")
        assert socket.recv() == "hello"
    ended(telemetry)
    message = telemetry.span("receive /ws/sync/{token}/")
    assert telemetry.span("work")["parent_span_id"] == message["span_id"]


def test_who_is_turned_away_is_rejected_and_who_closes_says_why(telemetry, address):
    with pytest.raises(InvalidStatus):
        connect(f"{address}/ws/rooms/closed/")
    (line,) = ended(telemetry)
    assert (line["websocket.outcome"], line["level"]) == ("rejected", "info")
    with connect(f"{address}/ws/rooms/lobby/") as socket:
        send_the_last(socket, "bye")
    line = ended(telemetry, 2)[1]
    assert (line["websocket.outcome"], line["websocket.close_code"]) == ("ok", "4001")
    with connect(f"{address}/ws/rooms/lobby/") as socket:
        socket.close(4321)
    assert ended(telemetry, 3)[2]["websocket.close_code"] == "4xxx", "a client may choose among two thousand codes"
    ask(Peer({"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1006}))
    assert ended(telemetry, 4)[3]["websocket.outcome"] == "lost"


def test_a_message_of_the_channel_layer_is_named_by_its_handler(telemetry, address):
    with connect(f"{address}/ws/rooms/lobby/") as socket:
        socket.send("layer")
        assert socket.recv() == "arrived"
    ended(telemetry)
    span = telemetry.span("parcel.arrived /ws/rooms/{room}/")
    assert (span["kind"], span["attributes"]["websocket.event"]) == ("INTERNAL", "parcel.arrived")


def test_a_caller_that_keeps_no_trace_keeps_none_of_its_messages(telemetry, address):
    """A2, A14: lines still say which trace it was."""
    headers = {"traceparent": f"00-{TRACE}-{CALLER}-00"}
    with connect(f"{address}/ws/rooms/lobby/", additional_headers=headers) as socket:
        socket.send("hello")
        socket.recv()
    (line,) = ended(telemetry)
    assert telemetry.spans == []
    assert (line["trace_id"], line["trace_sampled"]) == (TRACE, False)


def test_excluded_paths_are_silent(telemetry, address):
    """A13: with what is done on them."""
    with connect(f"{address}/livez") as socket:
        socket.send("query")
        assert socket.recv() == "queried"
    with connect(f"{address}/ws/rooms/lobby/"):
        pass
    assert [line["http.route"] for line in ended(telemetry)] == ["/ws/rooms/{room}/"]
    assert {span["name"].partition(" ")[2] for span in telemetry.spans} == {"/ws/rooms/{room}/"}


HOSTILE = [
    [(b"traceparent", b"\xff" * 9000), (b"baggage", b"=,;" * 3000)],
    [(b"x-request-id", b"a\r\nb"), (b"user-agent", b"\xff\x00\x1b[31m")],
    [],
]


class Peer:
    """An ASGI server's side of one connection, for what no client can send."""

    def __init__(self, *messages: Any) -> None:
        self._messages = list(messages)
        self.sent: list[Any] = []

    async def receive(self) -> Any:
        return self._messages.pop(0)

    async def send(self, message: Any) -> None:
        self.sent.append(message)


def ask(peer: Peer, **scope: Any) -> BaseException | None:
    async def serve() -> None:
        await APPLICATION({"type": "websocket", "path": "/ws/rooms/lobby/", "headers": [], **scope}, peer.receive, peer.send)

    try:
        asyncio.run(serve())
    except Exception as error:  # noqa: BLE001 - compared with what happens without the kit
        return error
    return None


ODD: list[tuple[Any, ...]] = [
    ({"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": code})
    for code in (None, "x", 2**70, -1, float("nan"), True, 3999, 1006, 1011)
] + [({"type": "websocket.connect"}, {"type": "no.such.handler"}), ({"type": "websocket.connect"}, {"type": ["a"]}), ({},), (None,)]


@pytest.mark.parametrize("number", range(len(ODD)))
@pytest.mark.parametrize("headers", HOSTILE, ids=["trace", "identity", "none"])
def test_whatever_comes_the_consumer_does_what_it_did_without_us(number, headers):
    """B5, B10: what is raised and what is sent are the same with the kit on and off."""

    def outcome() -> tuple[str, list[Any]]:
        peer = Peer(*ODD[number])
        return repr(ask(peer, headers=headers)), peer.sent

    without = outcome()
    with capture() as telemetry:
        assert outcome() == without
        codes = {point["attributes"].get("websocket.close_code") for point in telemetry.metrics["websocket.server.connection.duration"]}
        assert codes <= {None, "1006", "1011", "3xxx", "_OTHER"}
        assert telemetry.point("websocket.server.active_connections")["value"] == 0


def test_a_recorder_that_fails_harms_no_connection(telemetry, monkeypatch, caplog):
    """B6: a sampler of the project's that raises, and a scope that no server makes."""
    monkeypatch.setattr(telemetry.runtime.tracer.__class__, "start_span", lambda *_, **__: 1 / 0)
    peer = Peer({"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1000})
    assert ask(peer) is None
    assert [message["type"] for message in peer.sent] == ["websocket.accept"]
    assert "could not trace an event of a websocket" in caplog.text
    peer = Peer({"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1000})
    assert ask(peer, headers=7) is None
    assert "could not read the handshake" in caplog.text


def test_a_span_of_another_instrumentation_around_the_connection_stays_the_only_server_span(telemetry):
    """A4."""
    from opentelemetry.trace import SpanKind

    peer = Peer(
        {"type": "websocket.connect"}, {"type": "websocket.receive", "text": "hello"}, {"type": "websocket.disconnect", "code": 1000}
    )
    with telemetry.runtime.tracer.start_as_current_span("/ws websocket", kind=SpanKind.SERVER):
        ask(peer)
    outer = telemetry.span("/ws websocket")
    inside = [span for span in telemetry.spans if span is not outer and span["name"] != "/ws websocket"]
    assert {(span["kind"], span["parent_span_id"]) for span in inside} == {("INTERNAL", outer["span_id"])}
    assert len(inside) == 3


def test_what_it_declares_it_records(address):
    with capture() as telemetry:
        with connect(f"{address}/ws/rooms/lobby/") as socket:
            socket.send("hello")
            socket.recv()
            send_the_last(socket, "boom")
        ended(telemetry)
        recorded = {name for name in (metric.name for metric in LIBRARY.emits) if telemetry.metrics.get(name)}
    assert recorded == {metric.name for metric in LIBRARY.emits}


def test_off_is_as_if_it_was_not_there(address):
    """A25, A26: the consumer's own methods, and no dispatch of ours left on it."""
    before = (AsyncConsumer.__call__, URLRouter.__call__)
    with capture():
        assert AsyncConsumer.__call__ is not before[0]
        assert URLRouter.__call__ is not before[1]
    assert (AsyncConsumer.__call__, URLRouter.__call__) == before
    made: list[Any] = []
    consumer = Echo()
    made.append(consumer)
    with capture():
        peer = Peer({"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1000})
        scope = {"type": "websocket", "path": "/", "headers": [], "url_route": {"kwargs": {}}}
        asyncio.run(consumer(scope, peer.receive, peer.send))
    assert "dispatch" not in vars(consumer)
    consumer.dispatch = own = consumer.dispatch
    with capture() as telemetry:
        peer = Peer({"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1000})
        asyncio.run(consumer(scope, peer.receive, peer.send))
        assert telemetry.span("connect unmatched")["attributes"]["websocket.event"] == "connect", (
            "a dispatch of the consumer's own is followed, too"
        )
    assert vars(consumer)["dispatch"] is own
    with connect(f"{address}/ws/rooms/lobby/") as socket:
        socket.send("hello")
        assert socket.recv() == "hello"
