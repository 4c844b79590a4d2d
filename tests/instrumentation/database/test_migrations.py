"""Unapplied migrations: counted in the background, and a database that cannot say costs one warning and nothing else."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connections
from django.db.utils import OperationalError

from otelkit.catalog.metrics import DJANGO_MIGRATIONS_UNAPPLIED
from otelkit.database.migrations import ASK_EVERY, FIRST_AFTER, MigrationObserver, unapplied_everywhere
from otelkit.metrics.aggregator import Aggregator
from otelkit.metrics.question import PATIENCE
from otelkit.testing import capture


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def aggregator() -> Aggregator:
    return Aggregator(2000)


@pytest.fixture
def second_database(tmp_path: Path) -> Iterator[str]:
    """An alias that leads to an empty file of SQLite."""
    settings = {**connections.databases["default"], "NAME": str(tmp_path / "second.sqlite3")}
    connections.databases["behind"] = settings
    try:
        yield "behind"
    finally:
        connections["behind"].close()
        del connections["behind"], connections.databases["behind"]


def counted(aggregator: Aggregator) -> dict[str, float]:
    """What a collection shows now. An answer that is under way is waited for, as a test may and a collection does not."""
    shown = {
        str(point.labels[0]): point.value
        for snapshot in aggregator.collect()
        if snapshot.metric is DJANGO_MIGRATIONS_UNAPPLIED
        for point in snapshot.numbers
    }
    wait_for_the_answer()
    return shown


def wait_for_the_answer() -> None:
    for thread in threading.enumerate():
        if thread.name == "otelkit-migrations":
            thread.join(30)


def test_a_database_behind_the_code_says_by_how_much(second_database: str):
    call_command("migrate", "contenttypes", "0001", database=second_database, verbosity=0)
    found = unapplied_everywhere()
    assert found["second.sqlite3"] > 10
    before = found["second.sqlite3"]
    call_command("migrate", "contenttypes", database=second_database, verbosity=0)
    assert unapplied_everywhere()["second.sqlite3"] == before - 1
    call_command("migrate", database=second_database, verbosity=0)
    assert unapplied_everywhere()["second.sqlite3"] == 0


def test_a_database_that_nobody_migrates_is_not_counted(second_database: str):
    """A replica of somebody else's has no list of migrations; saying that it lacks all of ours would be nonsense."""
    assert list(unapplied_everywhere()) == [Path(str(connections.databases["default"]["NAME"])).name]


def test_a_collection_never_waits_and_shows_the_answer_when_it_is_there(aggregator: Aggregator, clock: Clock):
    MigrationObserver(aggregator, clock=clock)
    assert counted(aggregator) == {}
    clock.now += FIRST_AFTER - 1
    assert counted(aggregator) == {}, "the first requests come first"
    clock.now += 1
    assert counted(aggregator) == {}, "asked, not waited for"
    name = Path(str(connections.databases["default"]["NAME"])).name
    assert counted(aggregator) == {name: 0}


def test_the_answer_is_asked_for_again_after_a_minute(aggregator: Aggregator, clock: Clock):
    answers = iter([{"shop": 2}, {"shop": 0}])
    MigrationObserver(aggregator, lambda: next(answers), clock)
    clock.now += FIRST_AFTER
    counted(aggregator)
    clock.now += ASK_EVERY - 1
    assert counted(aggregator) == counted(aggregator) == {"shop": 2}
    clock.now += 1
    counted(aggregator)
    assert counted(aggregator) == {"shop": 0}


def test_a_database_that_is_down_is_one_warning_and_no_metric(aggregator: Aggregator, clock: Clock, caplog: pytest.LogCaptureFixture):
    """A24: nothing raises, nothing waits; and when it is back, so is the metric."""
    is_down = True

    def count() -> dict[str, int]:
        if is_down:
            raise OperationalError("password=hunter2")
        return {"shop": 0}

    MigrationObserver(aggregator, count, clock)
    clock.now += FIRST_AFTER
    with caplog.at_level(logging.WARNING, "otelkit"):
        for _ in range(5):
            assert counted(aggregator) == {}
            clock.now += ASK_EVERY
    (said,) = [record.getMessage() for record in caplog.records]
    assert said == "Unapplied migrations are not counted while the database cannot say: OperationalError."
    is_down = False
    counted(aggregator)
    assert counted(aggregator) == {"shop": 0}


def test_a_database_that_hangs_is_asked_once_and_holds_nobody_up(aggregator: Aggregator, clock: Clock, caplog: pytest.LogCaptureFixture):
    asked, let_go = [], threading.Event()

    def count() -> dict[str, int]:
        asked.append(1)
        let_go.wait(60)
        return {"shop": 1}

    observer = MigrationObserver(aggregator, count, clock)
    clock.now += FIRST_AFTER
    try:
        with caplog.at_level(logging.WARNING, "otelkit"):
            for _ in range(3):
                assert list(observer._observe()) == []
                clock.now += PATIENCE * 10
        assert asked == [1]
        assert [record.getMessage() for record in caplog.records] == [
            "Unapplied migrations are not counted while the database cannot say: it has not answered within 10 seconds."
        ]
    finally:
        let_go.set()
    wait_for_the_answer()
    assert list(observer._observe()) == [(("shop",), 1)]


def test_what_is_asked_for_the_metric_is_nobodys_query(monkeypatch: pytest.MonkeyPatch):
    """The kit's own questions are in no count and in no span."""
    monkeypatch.setattr("otelkit.database.migrations.FIRST_AFTER", 0.0)
    with capture() as telemetry:
        counted(telemetry.runtime.aggregator)
        assert telemetry.point("django.migrations.unapplied")["value"] == 0
        assert "db.client.operation.duration" not in telemetry.metrics
        assert telemetry.spans == []


def test_the_setting_switches_it_off(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("otelkit.database.migrations.FIRST_AFTER", 0.0)
    with capture({"database": {"migrations": False}}) as telemetry:
        counted(telemetry.runtime.aggregator)
        assert "django.migrations.unapplied" not in telemetry.metrics
