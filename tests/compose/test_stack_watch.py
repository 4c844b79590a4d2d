"""The probe inside the containers and the one-shot that waits for all of them, against real HTTP servers on loopback."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from otelkit_demo import probe, stack_ready
from otelkit_demo.stack_ready import Part, Wait
from tests.backends import free_port


@contextmanager
def answering(status: int, **headers: str) -> Iterator[str]:
    """The address of a server that answers everything with one status."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Silence: the test's output is the probe's."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/readyz"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("status", [200, 204])
def test_a_probe_is_content_with_a_2xx(status: int):
    with answering(status) as url:
        assert probe.trouble(url) is None


def test_a_probe_says_what_it_was_answered():
    with answering(503) as url:
        assert probe.trouble(url) == f"{url} answers 503 Service Unavailable"


def test_a_redirect_is_no_sign_of_health():
    with answering(200) as elsewhere, answering(302, location=elsewhere) as url:
        assert probe.trouble(url) == f"{url} answers 302 Found"


def test_a_probe_says_that_nobody_listens():
    url = f"http://127.0.0.1:{free_port()}/"
    assert probe.trouble(url) == f"{url} does not answer: [Errno 111] Connection refused"


def test_a_probe_does_not_wait_for_ever():
    """A server that accepts and says nothing is as bad as none."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        reason = probe.trouble(url, timeout=0.2)
    assert reason is not None
    assert "timed out" in reason


def test_a_probe_ignores_the_machines_proxy(monkeypatch: pytest.MonkeyPatch):
    """Docker lends its proxy settings to containers; the neighbour is not behind it."""
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    with answering(200) as url:
        assert probe.trouble(url) is None


@pytest.mark.parametrize(("arguments", "code"), [((), 2), (("a", "b"), 2), (("https://x/",), 2)])
def test_a_probe_refuses_a_call_that_it_cannot_make(arguments: tuple[str, ...], code: int):
    assert probe.main(arguments) == code


def test_the_probe_command_ends_with_a_code_that_docker_understands():
    with answering(200) as url:
        assert subprocess.run([sys.executable, "-m", "otelkit_demo.probe", url], check=False, timeout=20).returncode == 0
    run = subprocess.run([sys.executable, "-m", "otelkit_demo.probe", url], check=False, capture_output=True, text=True, timeout=20)
    assert run.returncode == 1
    assert run.stderr.startswith(f"{url} does not answer")


def test_the_probe_needs_neither_django_nor_the_kit():
    """It runs every three seconds in every container, so it must start fast."""
    code = "import sys, otelkit_demo.probe; print(sorted({'django', 'otelkit', 'opentelemetry', 'httpx'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=20).stdout.strip() == "[]"


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


LOKI = Part("loki", "http://loki:3100/ready")


def ready_after(clock: Clock, seconds: float) -> Callable[[str], str | None]:
    return lambda url: None if clock.now >= seconds else f"{url} is not up"


def test_the_watch_measures_how_long_a_part_took():
    clock = Clock()
    assert stack_ready.wait_for_one(LOKI, start=0, timeout=60, ask=ready_after(clock, 2.0), clock=clock, sleep=clock.sleep) == 2.0


def test_the_watch_gives_up_with_the_parts_own_words():
    clock = Clock()
    outcome = stack_ready.wait_for_one(LOKI, start=0, timeout=5, ask=ready_after(clock, 1e9), clock=clock, sleep=clock.sleep)
    assert outcome == f"{LOKI.url} is not up"
    assert clock.now == 5


def test_a_slow_part_does_not_slow_the_others():
    """One part that takes its time to say no was once all that the table showed."""
    with answering(200) as url, socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        wanted = (Part("silent", f"http://127.0.0.1:{silent.getsockname()[1]}/"), Part("orders", url))
        wait = stack_ready.wait_for(wanted, timeout=0)
    assert wait.seconds["orders"] < probe.TIMEOUT / 2
    assert "timed out" in wait.complaints["silent"]


def test_the_table_begins_with_the_fastest_and_ends_with_the_missing():
    wait = Wait({"orders": 5.04, "collector": 1.3}, {"loki": "it is not up"})
    assert stack_ready.table(wait).splitlines() == [
        "collector     1.3 s",
        "orders        5.0 s",
        "loki        never   it is not up",
    ]


def test_an_empty_address_leaves_a_part_out():
    environment = {"READY_ORDERS": "http://o", "READY_TEMPO": "", "PATH": "/bin", "READY_OTEL_AGENT": "http://a"}
    assert stack_ready.parts(environment) == (Part("orders", "http://o"), Part("otel-agent", "http://a"))


def test_the_watch_ends_well_when_all_answer(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    with answering(200) as url:
        monkeypatch.setenv("READY_ORDERS", url)
        assert stack_ready.main(["--timeout", "10"]) == 0
    assert "The stack is ready." in capsys.readouterr().out


def test_the_watch_ends_badly_and_says_where_to_look(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setenv("READY_LOKI", f"http://127.0.0.1:{free_port()}/ready")
    assert stack_ready.main(["--timeout", "0"]) == 1
    assert "docker compose logs loki" in capsys.readouterr().err


def test_a_watch_without_anything_to_watch_is_a_mistake(capsys: pytest.CaptureFixture[str]):
    assert stack_ready.main([]) == 2
    assert "READY_<NAME>" in capsys.readouterr().err
