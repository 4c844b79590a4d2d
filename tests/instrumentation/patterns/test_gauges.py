"""Gauges that a database answers: in the background, true while nobody works, and nobody's burden."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.utils import OperationalError
from django.utils import timezone

from otelkit.catalog.metrics import OUTBOX_OLDEST_AGE, OUTBOX_PENDING
from otelkit.metrics.aggregator import Aggregator
from otelkit.metrics.question import PATIENCE
from otelkit.patterns import gauges
from otelkit.patterns.events.backlog import backlog
from otelkit.patterns.events.models import OutboxEvent
from otelkit.patterns.gauges import ASK_EVERY, FIRST_AFTER, Answer, Gauges
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


def collected(aggregator: Aggregator) -> dict[str, float]:
    """What a collection shows now; an answer that is under way is waited for, as a test may and a collection does not."""
    shown = {snapshot.metric.name: point.value for snapshot in aggregator.collect() for point in snapshot.numbers}
    for thread in threading.enumerate():
        if thread.name == "otelkit-gauges":
            thread.join(30)
    return shown


def made(ask: Callable[[], Answer], clock: Clock) -> Gauges:
    return Gauges("The outbox", (OUTBOX_PENDING,), ask, clock=clock)


def test_a_collection_never_waits_and_shows_the_answer_when_it_is_there(aggregator: Aggregator, clock: Clock):
    answers = iter([3, 5])
    made(lambda: {OUTBOX_PENDING: {(): next(answers)}}, clock).observe(aggregator)
    clock.now += FIRST_AFTER - 1
    assert collected(aggregator) == {}
    clock.now += 1
    assert collected(aggregator) == {}, "asked, not waited for"
    clock.now += ASK_EVERY - 1
    assert collected(aggregator) == collected(aggregator) == {"outbox.pending": 3}
    clock.now += 1
    collected(aggregator)
    assert collected(aggregator) == {"outbox.pending": 5}


def test_a_database_that_is_down_is_one_warning_and_no_metric(aggregator: Aggregator, clock: Clock, caplog: pytest.LogCaptureFixture):
    """A24."""

    def ask() -> Answer:
        raise OperationalError("password=hunter2")

    made(ask, clock).observe(aggregator)
    clock.now += FIRST_AFTER
    with caplog.at_level(logging.WARNING, "otelkit"):
        for _ in range(5):
            assert collected(aggregator) == {}
            clock.now += ASK_EVERY
    (said,) = [record.getMessage() for record in caplog.records]
    assert said == "The outbox: not measured while the database cannot say: OperationalError."


def test_a_database_that_hangs_is_asked_once_and_holds_nobody_up(aggregator: Aggregator, clock: Clock, caplog: pytest.LogCaptureFixture):
    asked, let_go = [], threading.Event()

    def ask() -> Answer:
        asked.append(1)
        let_go.wait(60)
        return {}

    made(ask, clock).observe(aggregator)
    clock.now += FIRST_AFTER
    try:
        with caplog.at_level(logging.WARNING, "otelkit"):
            for _ in range(3):
                assert aggregator.collect() == []
                clock.now += PATIENCE * 10
        assert asked == [1]
        assert [record.getMessage() for record in caplog.records] == [
            f"The outbox: not measured while the database cannot say: it has not answered within {PATIENCE:g} seconds."
        ]
    finally:
        let_go.set()
        collected(aggregator)


def test_the_backlog_is_what_waits_and_for_how_long():
    try:
        assert backlog() == {OUTBOX_PENDING: {(): 0}, OUTBOX_OLDEST_AGE: {(): 0.0}}
        now = timezone.now()
        for state, age in (("pending", 60), ("pending", 5), ("published", 3600), ("dead", 3600)):
            created = now - timedelta(seconds=age)
            OutboxEvent.objects.create(event_id=f"{state}{age}", source="s", type="t", destination="d", state=state, created_at=created)
        found = backlog()
        assert found[OUTBOX_PENDING] == {(): 2}
        assert 60 <= found[OUTBOX_OLDEST_AGE][()] < 90
    finally:
        OutboxEvent.objects.all().delete()


def test_the_running_kit_shows_it_and_its_questions_are_nobody_s_queries(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("otelkit.patterns.gauges.FIRST_AFTER", 0.0)
    with capture() as telemetry:
        collected(telemetry.runtime.aggregator)
        assert telemetry.point("outbox.pending")["value"] == 0
        assert telemetry.point("outbox.oldest.age")["value"] == 0
        assert "db.client.operation.duration" not in telemetry.metrics
        assert telemetry.spans == []


def test_what_is_declared_while_the_kit_runs_is_collected_too(clock: Clock, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(gauges, "_declared", {})
    with capture() as telemetry:
        gauges.declare(made(lambda: {OUTBOX_PENDING: {(): 7}}, clock))
        clock.now += FIRST_AFTER
        collected(telemetry.runtime.aggregator)
        assert telemetry.point("outbox.pending")["value"] == 7
