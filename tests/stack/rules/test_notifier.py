"""Alertmanager hears of alerts that fire and of their end."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from otelkit_stack.promql import Engine, Labels, MemoryStorage
from otelkit_stack.rules.alert import Alert, State
from otelkit_stack.rules.asking import promql
from otelkit_stack.rules.group import GroupState, Surroundings
from otelkit_stack.rules.model import AlertingRule, Group
from otelkit_stack.rules.notifier import Notifier, posted
from tests.backends import free_port, running_alertmanager, wait_until


def alert(number: int = 0, *, resolved_at: int | None = None) -> Alert:
    labels = Labels.of({"alertname": "A", "number": str(number), "region": "own"})
    state = State.FIRING if resolved_at is None else State.INACTIVE
    return Alert(labels, Labels.of({"summary": "s"}), 1.0, 1_000, state, 2_500, resolved_at, valid_until=9_000)


@contextmanager
def receiver(status: int = 200) -> Iterator[tuple[str, list[Any]]]:
    taken: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/prefix/api/v2/alerts" and self.headers["Content-Type"] == "application/json":
                taken.append(json.loads(body))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(b"no thank you")

        def log_message(self, format: str, *args: object) -> None:
            """Silent: what was taken is what the tests read."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/prefix/", taken
        finally:
            server.shutdown()
            thread.join()


def test_an_alert_is_posted_as_the_api_takes_it() -> None:
    expected = {
        "labels": {"alertname": "A", "number": "0", "region": "own", "cluster": "c"},
        "annotations": {"summary": "s"},
        "startsAt": "1970-01-01T00:00:02.5Z",
        "endsAt": "1970-01-01T00:00:09Z",
        "generatorURL": "http://stack/graph?g0.expr=up+%3E+0&g0.tab=1",
    }
    external = {"cluster": "c", "region": "external"}
    assert posted(alert(), "up > 0", external, "http://stack") == expected
    assert posted(alert(resolved_at=7_000), "up > 0", external, "http://stack") == {**expected, "endsAt": "1970-01-01T00:00:07Z"}


def test_alerts_are_sent_in_their_order_and_what_waits_is_sent_before_the_end() -> None:
    with receiver() as (url, taken), receiver() as (other_url, other_taken):
        with Notifier([url, other_url]) as notifier:
            for number in range(600):
                notifier.send("up", [alert(number)])
        assert notifier.lost == {url: 0, other_url: 0}
        for batches in (taken, other_taken):
            assert [one["labels"]["number"] for batch in batches for one in batch] == [str(number) for number in range(600)]
            assert max(map(len, batches)) <= 256


@pytest.mark.parametrize("address", ["closed", "refusing", "ftp://127.0.0.1", "127.0.0.1:9093"])
def test_alerts_that_are_not_taken_are_counted_and_said_once(address: str, caplog: pytest.LogCaptureFixture) -> None:
    with receiver(status=400) as (refusing, _), caplog.at_level(logging.WARNING):
        url = {"closed": f"http://127.0.0.1:{free_port()}", "refusing": refusing}.get(address, address)
        with Notifier([url]) as notifier:
            for number in range(3):
                notifier.send("up", [alert(number)])
        assert notifier.lost == {url: 3}
    assert len(caplog.records) == 1
    assert f"Alertmanager at {url} did not take" in caplog.text


@pytest.mark.backends
def test_a_real_alertmanager_tells_of_the_beginning_and_of_the_end(tmp_path: Path) -> None:
    storage = MemoryStorage()
    trouble = Labels.of({"__name__": "trouble", "service": "orders"})
    rule = AlertingRule("Trouble", "trouble > 0", annotations=Labels.of({"summary": "{{ $labels.service }} is in trouble"}))
    with running_alertmanager(tmp_path) as alertmanager, Notifier([alertmanager.url]) as notifier:
        surroundings = Surroundings(promql(Engine(storage)), storage, notify=notifier.send)
        group = GroupState(Group("g", "f", (rule,)), surroundings, is_restored=True)
        # Alertmanager compares with its own clock, so the moments are of today.
        now = time.time_ns() // 1_000_000
        storage.append([(trouble, now, 1.0)])
        group.evaluate(now)
        (fired,) = wait_until(lambda: alertmanager.notified("Trouble", "firing"), 30, "the alert was not told about")
        assert fired["labels"] == {"alertname": "Trouble", "service": "orders"}
        assert fired["annotations"] == {"summary": "orders is in trouble"}
        storage.append([(trouble, now + 1, 0.0)])
        group.evaluate(now + 1)
        assert wait_until(lambda: alertmanager.notified("Trouble", "resolved"), 30, "its end was not told about")
    assert notifier.lost == {alertmanager.url: 0}
