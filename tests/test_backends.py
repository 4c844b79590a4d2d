"""The real programs that other tests lean on: they start, answer, tell and stop."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest
import yaml

from tests.backends import free_port, program, running_alertmanager, running_prometheus, wait_until


def test_waiting_returns_the_value_that_was_awaited():
    values = iter([None, [], ["came"]])
    assert wait_until(lambda: next(values), 5, "never came", every=0.001) == ["came"]


def test_waiting_in_vain_says_for_what_and_what_was_seen_last():
    with pytest.raises(TimeoutError, match=r"no alert came \(waited 0.01 s; last seen: \[\]\)"):
        wait_until(list, 0.01, "no alert came", every=0.001)


def test_a_refused_connection_is_not_yet_rather_than_an_error():
    started = time.monotonic()

    def connects_later() -> bool:
        if time.monotonic() - started < 0.02:
            raise ConnectionRefusedError("nobody listens yet")
        return True

    assert wait_until(connects_later, 5, "never listened", every=0.001)


def test_a_free_port_can_be_bound():
    with socket.socket() as server:
        server.bind(("127.0.0.1", free_port()))


def test_a_missing_program_skips_and_says_which():
    with pytest.raises(pytest.skip.Exception, match="no-such-program is not on PATH"):
        program("no-such-program")


@pytest.mark.backends
def test_a_rule_that_fires_travels_from_prometheus_through_alertmanager_to_the_webhook(tmp_path: Path):
    rules = tmp_path / "always.yml"
    rules.write_text(yaml.safe_dump({"groups": [{"name": "always", "rules": [{"alert": "Always", "expr": "vector(7)"}]}]}))
    with (
        running_alertmanager(tmp_path) as alertmanager,
        running_prometheus(tmp_path, rules=[rules], alertmanager_port=alertmanager.port) as prometheus,
    ):
        wait_until(lambda: alertmanager.notified("Always", "firing"), 30, "the webhook was never told")
        assert [alert["labels"]["alertname"] for alert in prometheus.alerts()] == ["Always"]
        assert [alert["labels"]["alertname"] for alert in alertmanager.alerts()] == ["Always"]
        assert [rule["health"] for rule in prometheus.rules()] == ["ok"]
    with pytest.raises(OSError, match="refused"):
        prometheus.query("1")


@pytest.mark.backends
def test_prometheus_scrapes_itself_and_answers_in_every_shape(tmp_path: Path):
    with (
        running_prometheus(tmp_path) as target,
        running_prometheus(_folder(tmp_path, "scraper"), scrape=[f"127.0.0.1:{target.port}"]) as prometheus,
    ):
        (up,) = wait_until(lambda: prometheus.query("up == 1"), 30, "the target was never scraped")
        assert up["metric"]["instance"] == f"127.0.0.1:{target.port}"
        assert prometheus.query("1 + 1")[0]["value"][1] == "2"
        assert prometheus.series("up") == [{"__name__": "up", "instance": f"127.0.0.1:{target.port}", "job": "scraped"}]
        assert "up" in prometheus.metric_names()
        now = time.time()
        assert prometheus.query_range("up", start=now - 10, end=now, step=1)[0]["values"]
        assert prometheus.exemplars("up") == []
        with pytest.raises(AssertionError, match=r"answered 400.*parse error"):
            prometheus.query("sum(")


@pytest.mark.backends
def test_a_prometheus_that_cannot_start_shows_the_end_of_its_log(tmp_path: Path):
    broken = tmp_path / "broken.yml"
    broken.write_text("groups: 7")
    with pytest.raises(RuntimeError, match="cannot unmarshal"), running_prometheus(tmp_path, rules=[broken]):
        pytest.fail("It started with a broken rule file.")


def _folder(parent: Path, name: str) -> Path:
    folder = parent / name
    folder.mkdir()
    return folder
