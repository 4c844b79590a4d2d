"""The load: bounded, repeatable, and honest about what it could not send."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from otelkit_demo import load
from otelkit_demo.load import CUSTOMERS, generate, main
from tests.backends import free_port


@dataclass(slots=True)
class Till:
    """A shop that remembers what customers asked for, and takes ``delay`` seconds for each."""

    delay: float = 0.0
    url: str = ""
    asked: list[str] = field(default_factory=list)
    baggage: set[str | None] = field(default_factory=set)


class Counter(ThreadingHTTPServer):
    """A server at which many may queue: the default of five would turn customers away."""

    request_queue_size = 256


@contextmanager
def open_till(delay: float = 0.0) -> Iterator[Till]:
    till = Till(delay)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.answer(200, "")

        def do_POST(self) -> None:
            self.answer(201, self.rfile.read(int(self.headers["content-length"])).decode())

        def answer(self, status: int, body: str) -> None:
            till.asked.append(f"{self.command} {self.path} {body}".rstrip())
            till.baggage.add(self.headers["baggage"])
            time.sleep(till.delay)
            content = json.dumps({"id": 1}).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Silence."""

    with Counter(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        till.url = f"http://127.0.0.1:{server.server_port}"
        yield till
        server.shutdown()
        thread.join()


def wishes(till: Till) -> list[str]:
    """What was asked for, in an order that does not depend on threads."""
    return sorted(wish for wish in till.asked if wish.startswith("POST") or "sku=" in wish)


@pytest.fixture
def many_customers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enough of them that none is missing, however busy the machine is."""
    monkeypatch.setattr(load, "CUSTOMERS", 200)


@pytest.mark.usefixtures("many_customers")
def test_the_same_seed_sends_the_same_wishes():
    runs = []
    for seed in (7, 7, 8):
        with open_till() as till:
            answers = generate(till.url, rate=200, minutes=0.005, seed=seed)
        assert answers.total() == len(till.asked)
        runs.append(wishes(till))
    assert runs[0] == runs[1] != runs[2]
    assert len(runs[0]) > 10


def test_rate_and_minutes_bound_what_is_sent():
    begin = time.monotonic()
    with open_till() as till:
        answers = generate(till.url, rate=100, minutes=0.01, seed=1)
    assert time.monotonic() - begin < 5
    assert 30 <= answers.total() <= 90, "60 are due; four standard deviations are 31"


@pytest.mark.usefixtures("many_customers")
def test_every_journey_is_walked_and_marked_as_synthetic():
    with open_till() as till:
        answers = generate(till.url, rate=300, minutes=0.01, seed=3)
    kinds = {wish.split("?")[0].split(" {")[0] for wish in till.asked}
    assert {"POST /orders", "GET /orders", "GET /orders/1"} <= kinds
    assert any(len(kind) == len("GET /orders/12345678") for kind in kinds), "somebody asks for an order that is not there"
    assert till.baggage == {"synthetic=true"}
    assert set(answers) == {"200", "201"}


def test_customers_who_wait_do_not_slow_the_others_down():
    """An open loop: requests that nobody is free to send are counted, not postponed."""
    begin = time.monotonic()
    with open_till(delay=1.0) as till:
        answers = generate(till.url, rate=100, minutes=0.01, seed=1)
    assert time.monotonic() - begin < 5
    assert len(till.asked) == CUSTOMERS
    assert answers["skipped"] >= 15
    assert answers.total() == answers["skipped"] + CUSTOMERS


def test_a_shop_that_is_closed_is_counted_as_unreachable(capsys: pytest.CaptureFixture[str]):
    assert generate(f"http://127.0.0.1:{free_port()}", rate=100, minutes=0.002, seed=1).keys() == {"unreachable"}


def test_a_rate_of_nothing_is_refused(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["--rate", "0"])
    assert "argument --rate: must be above 0; it is 0" in capsys.readouterr().err
