"""The load: bounded, repeatable, and honest about what it could not send."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path

import pytest

from otelkit_demo.faults import AUTH_BRUTE_FORCE, FLAG_FILE_VARIABLE, FlagFile, active_faults
from otelkit_demo.journeys import JOURNEYS
from otelkit_demo.load import generate, main
from tests.backends import free_port


@dataclass(slots=True)
class Till:
    """A shop that remembers what customers asked for, and takes ``delay`` seconds for each."""

    delay: float = 0.0
    url: str = ""
    asked: list[str] = field(default_factory=list)
    baggage: set[str | None] = field(default_factory=set)
    cookies: set[str | None] = field(default_factory=set)


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
            body = self.rfile.read(int(self.headers.get("content-length", "0"))).decode()
            self.answer(200 if "password" in body else 201, body)

        def answer(self, status: int, body: str) -> None:
            till.asked.append(f"{self.command} {self.path} {body}".rstrip())
            till.baggage.add(self.headers["baggage"])
            till.cookies.add(self.headers["cookie"])
            time.sleep(till.delay)
            content = json.dumps({"reference": "r"}).encode()
            self.send_response(status)
            if "password" in body:
                self.send_header("set-cookie", "sessionid=s; Path=/")
                self.send_header("set-cookie", "csrftoken=t; Path=/")
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
    return sorted(wish for wish in till.asked if wish.startswith("POST") or "search=" in wish)


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


def test_every_journey_is_walked_and_marked_as_synthetic():
    with open_till() as till:
        answers = generate(till.url, rate=400, minutes=0.015, seed=3)
    kinds = {wish.split("?")[0].split(" {")[0] for wish in till.asked}
    assert kinds >= {
        *("GET /api/products", "GET /api/products/tea-assam", "POST /api/v2/checkout", "POST /api/v1/checkout"),
        *("GET /api/orders/r", "POST /api/orders/r/refund", "POST /api/login", "POST /api/logout"),
    }
    assert any(kind.startswith("GET /api/products/tea-") and kind[-4:].isdigit() for kind in kinds), "somebody asks for what is not there"
    assert till.baggage == {"synthetic=true"}
    assert set(answers) == {"200", "201"}


def test_whoever_is_logged_in_says_so_and_nobody_else_does():
    """Customers share connections, and not cookies."""
    with open_till() as till:
        generate(till.url, rate=400, minutes=0.015, seed=3)
    assert till.cookies == {None, "sessionid=s; csrftoken=t"}


def test_the_first_customer_buys_so_that_a_whole_order_is_seen_soon():
    with open_till() as till:
        generate(till.url, rate=50, minutes=0.003, seed=5)
    assert till.asked[0].startswith("POST /api/v2/checkout")


def test_the_weights_are_out_of_a_hundred():
    assert sum(journey.weight for journey in JOURNEYS) == 100


def test_customers_who_wait_do_not_slow_the_others_down():
    """An open loop: journeys that nobody is free to walk are counted, not postponed."""
    begin = time.monotonic()
    with open_till(delay=1.0) as till:
        answers = generate(till.url, rate=100, minutes=0.01, seed=1, customers=16)
    assert time.monotonic() - begin < 10
    assert len(till.asked) >= 16
    assert answers["skipped"] >= 10
    assert answers.total() == answers["skipped"] + len(till.asked)


def test_there_are_enough_customers_for_a_slow_second():
    """So that a second in which nothing is answered loses no journey."""
    with open_till(delay=1.0) as till:
        answers = generate(till.url, rate=100, minutes=0.01, seed=1)
    assert not answers["skipped"]
    assert len(till.asked) > 16


def test_passwords_are_guessed_while_the_fault_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    flags = FlagFile(tmp_path / "faults.json")
    monkeypatch.setenv(FLAG_FILE_VARIABLE, str(flags.path))
    active_faults.cache_clear()
    flags.set(AUTH_BRUTE_FORCE.name, 1)
    try:
        with open_till() as till:
            generate(till.url, rate=20, minutes=0.02, seed=1)
    finally:
        active_faults.cache_clear()
    assert sum(bool(re.search(r'"password":\s?"[0-9a-f]{32}"', wish)) for wish in till.asked) >= 3


def test_a_shop_that_is_closed_is_counted_as_unreachable(capsys: pytest.CaptureFixture[str]):
    assert generate(f"http://127.0.0.1:{free_port()}", rate=100, minutes=0.002, seed=1).keys() == {"unreachable (ConnectError)"}


def test_a_rate_of_nothing_is_refused(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["--rate", "0"])
    assert "argument --rate: must be above 0; it is 0" in capsys.readouterr().err


@pytest.mark.skipif(find_spec("locust") is None, reason="locust is not installed: pip install locust")
def test_locust_walks_the_same_journeys():
    file = Path(__file__).parents[2] / "demo_services" / "locustfile.py"
    with open_till() as till:
        call = ["--locustfile", str(file), "--host", till.url, "--headless", "--users", "5", "--spawn-rate", "5", "--run-time", "5s"]
        run = subprocess.run([sys.executable, "-m", "locust", *call, "--only-summary"], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert any(wish.startswith(("GET /api/products", "POST /api/v2/checkout")) for wish in till.asked)
    assert till.baggage == {"synthetic=true"}
