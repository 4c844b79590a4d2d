"""Probes: own parts alone, never longer than a timeout, nothing that a stranger should not read."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator

import pytest
from django.db import connections
from django.test import override_settings

from otelkit import startup
from otelkit.config import load
from otelkit.patterns import health
from otelkit.patterns.health.probe import Probe
from otelkit.patterns.health.watch import RELEVANT
from otelkit.testing import capture
from tests.backends import wait_until
from tests.instrumentation.asking import BOTH, ask_sync
from tests.instrumentation.patterns.serving import serving, values

ADDRESSES = ["/livez", "/readyz", "/startupz"]


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Counting:
    """A check that counts how often it was asked, and says what it is told to."""

    def __init__(self) -> None:
        self.asked = 0
        self.answer: object = True

    def __call__(self) -> object:
        self.asked += 1
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


@pytest.fixture
def gone(tmp_path) -> Iterator[str]:
    """An alias whose database cannot be opened."""
    connections.databases["gone"] = {**connections.databases["default"], "NAME": str(tmp_path / "no" / "such" / "hunter2.sqlite3")}
    yield "gone"
    del connections.databases["gone"]


@pytest.mark.parametrize("ask", BOTH)
@pytest.mark.parametrize("address", ADDRESSES)
def test_without_a_word_of_configuration_three_addresses_answer(ask, address):
    """A25: also while the kit is off."""
    with serving(health.urls()):
        answer = ask(address)
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    assert answer["Cache-Control"] == "no-store"


def test_readiness_asks_the_database_and_startup_its_migrations():
    with serving(health.urls()):
        assert list(ask_sync("/livez").json()["checks"]) == []
        assert list(ask_sync("/readyz").json()["checks"]) == ["database"]
        assert list(ask_sync("/startupz").json()["checks"]) == ["migrations"]


@pytest.mark.parametrize("ask", BOTH)
def test_a_database_that_is_away_is_no_and_liveness_does_not_care(ask, gone):
    """A24: a service whose database is down lives on."""
    with serving(health.urls(ready=[health.database(), health.database(gone)], startup=[health.migrations(gone)])):
        ready = ask("/readyz")
        assert ready.status_code == 503
        checks = ready.json()["checks"]
        assert checks["database"]["status"] == "ok"
        assert (checks["database:gone"]["status"], checks["database:gone"]["reason"]) == ("failed", "OperationalError")
        assert ask("/startupz").status_code == 503
        assert ask("/livez").status_code == 200
        assert b"hunter2" not in ready.content, "C1: the driver's message names files, hosts and users"


def test_a_cache_that_is_away_or_forgets_is_no():
    caches = {
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
        "dummy": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
        "full": {"BACKEND": "tests.instrumentation.patterns.caches.Forgetful"},
        "away": {"BACKEND": "tests.instrumentation.patterns.caches.Away"},
    }
    with override_settings(CACHES=caches), serving(health.urls(ready=[health.cache(alias) for alias in caches])):
        checks = ask_sync("/readyz").json()["checks"]
    assert {name: said.get("reason", "") for name, said in checks.items()} == {
        "cache": "",
        "cache:dummy": "",
        "cache:full": "lost value",
        "cache:away": "ConnectionError",
    }


def test_a_stranger_learns_yes_or_no_and_nothing_else():
    """C4: a proxy's address is everybody's."""
    with serving(health.urls(ready=[health.check("model", lambda: False)])):
        for stranger in ({"peer": "203.0.113.7"}, {"headers": {"X-Forwarded-For": "127.0.0.1"}}):
            assert ask_sync("/readyz", **stranger).json() == {"status": "failed"}
        assert "checks" in ask_sync("/readyz").json()


def test_a_token_shows_the_checks_to_who_has_it_alone():
    with serving(health.urls(token="s3cret")):
        assert "checks" in ask_sync("/readyz", peer="203.0.113.7", headers={"Authorization": "Bearer s3cret"}).json()
        for wrong in ("Bearer s3cre", "Basic s3cret", "Bearer \xff", ""):
            assert "checks" not in ask_sync("/readyz", headers={"Authorization": wrong}).json()


def test_only_questions_are_answered():
    with serving(health.urls()):
        assert ask_sync("/readyz", "POST").status_code == 405
        assert ask_sync("/readyz", "HEAD").status_code == 200


def test_a_check_that_hangs_is_no_after_its_timeout_and_is_not_asked_again_meanwhile():
    release, asked = threading.Event(), []

    def hang() -> None:
        asked.append(1)
        release.wait(30)

    clock = Clock()
    probe = Probe([health.check("model", hang, timeout=0.01)], fresh_for=0.0, clock=clock)
    for _ in range(5):
        ((_, result),) = probe.ask().results
        assert (result.ok, result.reason) == (False, "timeout")
    assert asked == [1]
    release.set()
    for thread in threading.enumerate():
        if thread.name == "otelkit-health-model":
            thread.join(30)
    # Until it may start a thread and be answered within a hundredth of a second: on a busy machine not the first time.
    wait_until(lambda: probe.ask().ok, 30, "it is not asked again when it does not hang any more")


def test_an_answer_is_given_again_while_it_is_fresh():
    ask, clock = Counting(), Clock()
    probe = Probe([health.check("model", ask)], fresh_for=5.0, clock=clock)
    assert probe.ask().ok
    ask.answer = False
    clock.now += 4.9
    assert probe.ask().ok
    clock.now += 0.2
    assert not probe.ask().ok
    assert ask.asked == 2


def test_a_start_that_succeeded_stays_so():
    ask, clock = Counting(), Clock()
    probe = Probe([health.check("model", ask)], fresh_for=0.0, latched=True, clock=clock)
    ask.answer = False
    assert not probe.ask().ok
    ask.answer = True
    clock.now += 1
    assert probe.ask().ok
    ask.answer = False
    clock.now += 100
    assert probe.ask().ok


async def answers_no() -> bool:
    return False


async def answers() -> str:
    return ""


@pytest.mark.parametrize(
    ("ask", "reason"),
    [
        (lambda: None, ""),
        (lambda: 0, ""),
        (answers, ""),
        (answers_no, "said no"),
        (lambda: False, "said no"),
        (lambda: 1 / 0, "ZeroDivisionError"),
        (lambda: os.strerror("x"), "TypeError"),
    ],
)
def test_a_check_of_the_project_is_a_function_or_a_coroutine_function(ask, reason):
    ((_, result),) = Probe([health.check("model", ask)]).ask().results
    assert (result.ok, result.reason) == (not reason, reason)


@pytest.mark.parametrize("error", [SystemExit(1), KeyboardInterrupt(), MemoryError()])
def test_whatever_a_check_raises_is_a_no(error):
    """B6."""
    ask = Counting()
    ask.answer = error
    ((_, result),) = Probe([health.check("model", ask)]).ask().results
    assert (result.ok, result.reason) == (False, type(error).__name__)


def test_a_check_that_is_not_required_is_told_and_fails_nothing():
    with serving(health.urls(ready=[health.check("search", lambda: False, required=False)])):
        answer = ask_sync("/readyz")
    assert answer.status_code == 200
    said = answer.json()["checks"]["search"]
    assert (said["status"], said["required"]) == ("failed", False)


def test_a_check_that_cannot_be_named_is_refused():
    """A23."""
    with pytest.raises(ValueError, match="needs a name"):
        health.check("", answers)
    with pytest.raises(ValueError, match=r"The timeout of the health check \"model\" must be a number of seconds above 0; it is 0"):
        health.check("model", answers, timeout=0)
    with pytest.raises(ValueError, match="Two health checks of one probe are called model"):
        Probe([health.check("model", answers), health.check("model", answers)])


def test_status_and_duration_are_metrics_and_a_probe_leaves_nothing_else():
    """A13: no span, no sample of a request and no access line, and none of the queries that a check makes."""
    with capture() as telemetry, serving(health.urls(ready=[health.database(), health.check("model", lambda: False)])):
        assert ask_sync("/readyz").status_code == 503
        assert telemetry.point("health.check.status", check="database")["value"] == 1
        assert telemetry.point("health.check.status", check="model")["value"] == 0
        assert telemetry.point("health.check.duration", check="database")["count"] == 1
        assert telemetry.spans == []
        assert "http.server.request.duration" not in telemetry.metrics
        assert "db.client.operation.duration" not in telemetry.metrics
        assert [line["message"] for line in telemetry.lines if line["level"] == "warning"] == ['Health check "model" fails: said no.']


def test_two_probes_that_ask_the_same_have_one_series_and_one_no_is_enough():
    said = iter([True, False])
    live, ready = (Probe([health.check("twice", lambda: next(said))]) for _ in range(2))
    with capture() as telemetry:
        live.ask()
        ready.ask()
        assert telemetry.point("health.check.status", check="twice")["value"] == 0


def test_an_old_answer_is_not_reported_any_more():
    clock = Clock()
    probe = Probe([health.check("old", lambda: False)], clock=clock)
    with capture() as telemetry:
        probe.ask()
        assert telemetry.point("health.check.status", check="old")["value"] == 0
        clock.now += RELEVANT
        assert ("old",) not in values(telemetry, "health.check.status")


def test_a_change_is_said_once(caplog):
    caplog.set_level(logging.INFO, "otelkit.health")
    ask = Counting()
    probe = Probe([health.check("model", ask)], fresh_for=0.0, clock=Clock())
    for answer in (True, False, False, RuntimeError("password=hunter2"), True):
        ask.answer = answer
        probe.ask()
    assert [record.getMessage() for record in caplog.records] == [
        'Health check "model" fails: said no.',
        'Health check "model" fails: RuntimeError.',
        'Health check "model" passes again.',
    ]


def test_a_forked_worker_asks_for_itself():
    """B7: neither the parent's answer nor a thread that exists only there."""
    release = threading.Event()
    probe = Probe([health.check("model", lambda: release.wait(30), timeout=0.01)], fresh_for=1000.0)
    assert not probe.ask().ok
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            release.set()
            os.write(writing, b"ok" if probe.ask().ok else b"failed")
        finally:
            os._exit(0)
    release.set()
    os.waitpid(pid, 0)
    os.close(writing)
    with os.fdopen(reading) as child:
        assert child.read() == "ok"


def test_after_stop_a_probe_records_nothing():
    """A26."""
    probe = Probe([health.check("stopped", lambda: True)], fresh_for=0.0)
    with capture() as telemetry:
        probe.ask()
        histogram = telemetry.point("health.check.duration", check="stopped")
        aggregator = telemetry.runtime.aggregator
    assert probe.ask().ok
    counted = [point for snapshot in aggregator.collect() for point in snapshot.histograms if point.labels == ("stopped",)]
    assert [sum(point.counts) for point in counted] == [histogram["count"]]
    assert startup.start(load({"enabled": False}, {})) is None
    assert probe.ask().ok
