"""One export and its answer, however strange: bounded in time and in memory."""

from __future__ import annotations

import socket
import time

import pytest

from otelkit.config import Export
from otelkit.export.sender import Answer, HttpSender, Verdict
from tests.receivers import answering, receiver


def send(endpoint: str, timeout: float) -> tuple[Answer, float]:
    """The answer, and the seconds until it was there."""
    began = time.monotonic()
    answer = HttpSender(Export(endpoint=endpoint)).send("traces", b"", timeout)
    return answer, time.monotonic() - began


@pytest.mark.parametrize(("status", "verdict"), [("200 OK", Verdict.DELIVERED), ("503 Busy", Verdict.RETRY)])
def test_a_receiver_that_drips_its_answer_does_not_hold_the_thread(status, verdict):
    """B1: the timeout is for the export in all, not for each byte. The status has come, and it counts."""

    def drip(connection: socket.socket) -> None:
        connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 1000\r\n\r\n".encode())
        for _ in range(1000):
            connection.sendall(b"x")
            time.sleep(0.05)

    with answering(drip) as endpoint:
        answer, elapsed = send(endpoint, timeout=0.4)
    assert answer.verdict is verdict
    assert elapsed < 2


def test_an_answer_without_end_is_not_read_to_its_end():
    """A wrong endpoint may be a download, and the memory is the application's."""
    sent = []

    def flood(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        for _ in range(1000):
            connection.sendall(b"x" * 1_000_000)
            sent.append(1_000_000)

    with answering(flood) as endpoint:
        answer, _ = send(endpoint, timeout=5)
        assert answer.verdict is Verdict.DELIVERED
    assert sum(sent) < 100_000_000


def test_a_web_page_is_no_receiver():
    """What answers 200 to everything would take all telemetry, and nobody would know."""
    with receiver(200, {"Content-Type": "text/html; charset=utf-8"}, b"<html>hello</html>") as running:
        answer, _ = send(running.endpoint, timeout=5)
    assert answer.verdict is Verdict.REJECTED
    assert "no OTLP receiver" in answer.detail


@pytest.mark.parametrize(
    ("kind", "body", "said"),
    [
        ("application/x-protobuf", b"\x08\x03\x12\x08too many", "it answered 400: too many"),  # a google.rpc.Status
        ("application/x-protobuf", b"\xff\xff\xff", "it answered 400"),
        ("application/x-protobuf", b"\x08\x03\x12\x03a\nb", "it answered 400"),
        ("application/json", b'{"message": "too many"}', 'it answered 400: {"message": "too many"}'),
        ("text/plain", b"\x1b[31mred", "it answered 400"),
    ],
    ids=["a status", "no protobuf", "two lines", "JSON", "an escape sequence"],
)
def test_the_receivers_own_words_are_kept_where_a_person_can_read_them(kind, body, said):
    """B1, C3."""
    with receiver(400, {"Content-Type": kind}, body) as running:
        answer, _ = send(running.endpoint, timeout=5)
    assert answer == Answer(Verdict.REJECTED, said)


def test_a_connection_is_kept_after_an_answer_that_was_read():
    with receiver(200, {}, b"") as running:
        sender = HttpSender(Export(endpoint=running.endpoint))
        for _ in range(3):
            assert sender.send("traces", b"", 5).verdict is Verdict.DELIVERED
        (manager,) = sender._pools.values()
        (pool,) = [manager.pools[key] for key in manager.pools.keys()]  # noqa: SIM118  (urllib3's container has no iterator)
        assert (pool.num_connections, pool.num_requests) == (1, 3)
