"""Who takes a saga's steps, on SQLite and on PostgreSQL: one process at a time, with no lock meanwhile, and another once it has died."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from otelkit.patterns import events
from otelkit.patterns.events.models import OutboxEvent
from otelkit.patterns.saga import WAIT, Saga, Step, parts
from otelkit.patterns.saga.models import SagaRun
from otelkit.patterns.saga.orchestrating import advance, sweep
from otelkit.testing import capture
from tests.postgresql import PostgreSQL, running_postgresql
from tests.project.models import Item

ROOT = Path(__file__).parents[4]
PATIENCE = 30


@pytest.fixture(scope="module")
def postgresql() -> Iterator[PostgreSQL]:
    with running_postgresql() as server:
        yield server


@dataclass
class Place:
    """A database, and what the steps of its sagas have done, in their order."""

    alias: str
    did: list[str] = field(default_factory=list)

    def saga(self, *steps: Step, **more: Any) -> Saga:
        return Saga("order", steps, **more)

    def start(self, saga: Saga) -> SagaRun:
        return saga.start(key="1", using=self.alias)

    @property
    def run(self) -> SagaRun:
        return SagaRun.objects.using(self.alias).get()

    @property
    def is_locked(self) -> bool:
        return connections[self.alias].in_atomic_block

    def steal(self) -> None:
        """Whoever has the saga now has had it for too long."""
        before = timezone.now() - timedelta(seconds=1)
        SagaRun.objects.using(self.alias).update(leased_until=before, due_at=before)

    def elsewhere(self, work: Any, *arguments: Any) -> Any:
        """As another process would, on a connection of its own."""

        def there() -> Any:
            try:
                return work(*arguments)
            finally:
                connections[self.alias].close()

        with ThreadPoolExecutor(1) as other:
            return other.submit(there).result(PATIENCE)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Place]:
    monkeypatch.setattr(parts, "known", {})
    alias = f"sagas_{request.param}"
    entry = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "sagas.sqlite3")}
    if request.param == "postgresql":
        entry = request.getfixturevalue("postgresql").settings()
    connections.settings[alias] = connections.configure_settings({"default": {}, alias: entry})[alias]
    try:
        call_command("migrate", database=alias, run_syncdb=True, verbosity=0)
        yield Place(alias)
    finally:
        for model in (SagaRun, OutboxEvent, Item):
            model._default_manager.using(alias).all().delete()
        connections[alias].close()
        del connections[alias], connections.settings[alias]


def test_no_transaction_is_open_while_a_step_runs(place: Place):
    """Neither forward nor backward, whether the process that started the saga goes on or the sweeper does."""
    locked: list[bool] = []

    def look(_: Any) -> None:
        locked.append(place.is_locked)

    def refuse(data: Any) -> None:
        look(data)
        raise OSError("no")

    with transaction.atomic(place.alias):
        place.start(place.saga(Step("first", look, undo=look), Step("second", refuse, attempts=2)))
    place.steal()
    assert sweep(place.alias) == 1
    assert place.run.state == "compensated"
    assert locked == [False] * 4


def test_others_write_while_a_step_runs(place: Place):
    """What SQLite's one lock is for: a step that takes its time holds up nobody."""

    def write() -> None:
        Item.objects.using(place.alias).create(name="from elsewhere")

    place.start(place.saga(Step("slow", lambda _: place.elsewhere(write))))
    assert (place.run.state, Item.objects.using(place.alias).count()) == ("ok", 1)


def test_what_came_of_a_step_is_one_statement(place: Place):
    """Three of them at each step were most of what an order cost the one who places it."""

    def nothing(_: Any) -> None:
        pass

    def statements(*steps: Step) -> int:
        parts.known.clear()
        with CaptureQueriesContext(connections[place.alias]) as captured:
            run = place.saga(*steps).start(key=str(len(steps)), using=place.alias)
        assert SagaRun.objects.using(place.alias).get(id=run.id).state == "ok"
        return sum("otelkit_saga" in query["sql"] for query in captured)

    one = Step("1", nothing)
    assert statements(one, Step("2", nothing), Step("3", nothing)) - statements(one) == 2


def test_two_workers_on_one_saga_take_each_step_once(place: Place):
    """The second finds it taken, at each of its steps, and leaves it alone."""

    def step(name: str) -> Step:
        def do(_: Any) -> None:
            place.did.append(name)
            place.elsewhere(advance, place.run.id, place.alias)
            assert place.elsewhere(sweep, place.alias) == 0

        return Step(name, do)

    place.start(place.saga(*map(step, ("first", "second", "third"))))
    assert (place.run.state, place.did) == ("ok", ["first", "second", "third"])


def test_workers_who_come_at_once_take_each_step_once(place: Place):
    """Those who wait for the claim's short transaction find it taken, too."""
    go = Event()
    saga = place.saga(Step("first", lambda _: place.did.append("first")), Step("second", lambda _: place.did.append("second")))
    with transaction.atomic(place.alias):
        number = place.start(saga).id
        SagaRun.objects.using(place.alias).filter(id=number).update(due_at=timezone.now())
        transaction.get_connection(place.alias).run_on_commit.clear()  # whoever started it is dead

    def work() -> None:
        go.wait(PATIENCE)
        try:
            advance(number, place.alias)
        finally:
            connections[place.alias].close()

    with ThreadPoolExecutor(4) as workers:
        working = [workers.submit(work) for _ in range(4)]
        go.set()
        for one in working:
            one.result(PATIENCE)
    assert (place.run.state, place.did) == ("ok", ["first", "second"])


def test_a_late_worker_whose_lease_was_taken_does_not_overwrite(place: Place, caplog: pytest.LogCaptureFixture):
    def slow(data: dict[str, Any]) -> None:
        if not place.did:
            place.did.append("late")
            place.steal()
            assert place.elsewhere(sweep, place.alias) == 1
            data["by"] = "the late one"
            return
        place.did.append("successor")
        data["by"] = "the successor"

    with caplog.at_level(logging.WARNING, "otelkit.saga"):
        place.start(place.saga(Step("slow", slow), Step("after", lambda _: place.did.append("after"))))
    assert (place.run.state, place.run.data, place.did) == ("ok", {"by": "the successor"}, ["late", "successor", "after"])
    (said,) = caplog.records
    assert "took longer at slow than its lease" in said.getMessage()


def test_a_late_worker_that_nobody_replaced_goes_on(place: Place):
    def slow(_: Any) -> None:
        place.did.append("slow")
        place.steal()

    place.start(place.saga(Step("slow", slow), Step("after", lambda _: place.did.append("after"))))
    assert (place.run.state, place.did) == ("ok", ["slow", "after"])


def test_a_late_failure_does_not_turn_back_what_goes_on(place: Place):
    def slow(_: Any) -> None:
        if not place.did:
            place.did.append("late")
            place.steal()
            place.elsewhere(sweep, place.alias)
            raise OSError("and it failed, too")
        place.did.append("successor")

    place.start(place.saga(Step("slow", slow)))
    assert (place.run.state, place.run.error, place.did) == ("ok", "", ["late", "successor"])


def test_a_saga_that_somebody_has_is_not_turned_back_for_its_age(place: Place):
    def old(_: Any) -> None:
        SagaRun.objects.using(place.alias).update(deadline=timezone.now() - timedelta(seconds=1))
        assert place.elsewhere(sweep, place.alias) == 0

    place.start(place.saga(Step("old", old)))
    assert place.run.state == "ok"


def test_a_lease_is_as_long_as_the_saga_says_and_ends_with_the_saga(place: Place):
    left: list[float] = []

    def look(_: Any) -> Any:
        until = place.run.leased_until
        assert until is not None
        left.append((until - timezone.now()).total_seconds())
        return WAIT

    place.start(place.saga(Step("ask", look), lease=5000.0))
    assert 4000 < left[0] <= 5000
    assert (place.run.state, place.run.leased_until, place.run.leased_by) == ("waiting", None, None)


def test_what_a_step_in_the_transaction_writes_lasts_only_if_it_does_not_fail(place: Place):
    """Data, event and the saga's row are one: for steps that call nobody."""

    def write(name: str) -> None:
        assert place.is_locked
        Item.objects.using(place.alias).create(name=name)
        events.publish("order.placed", {}, destination="orders", source="tests", using=place.alias)

    def fail(_: Any) -> None:
        write("failed")
        raise OSError("no")

    steps = Step("one", lambda _: write("one"), lambda _: write("undone"), in_transaction=True), Step("two", fail, in_transaction=True)
    place.start(place.saga(*steps))
    assert place.run.state == "compensated"
    assert set(Item.objects.using(place.alias).values_list("name", flat=True)) == {"one", "undone"}
    assert OutboxEvent.objects.using(place.alias).count() == 2


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_an_answer_that_is_there_before_the_step_has_returned_is_not_lost(place: Place, answer: str):
    """The one who is asked may be quicker than the one who asks; and says it twice."""

    def say() -> bool:
        if answer == "yes":
            return saga.resume("1", {"paid": True}, step="pay", using=place.alias)
        return saga.turn_back("1", "refused", step="pay", using=place.alias)

    def pay(_: Any) -> Any:
        place.did.append("pay")
        assert place.elsewhere(say)
        assert not place.elsewhere(say), "a second answer does nothing"
        return WAIT

    def act(name: str) -> Any:
        return lambda _: place.did.append(name)

    saga = place.saga(Step("pay", pay, undo=act("refund")), Step("ship", act("ship")))
    place.start(saga)
    if answer == "yes":
        assert (place.run.state, place.run.data, place.did) == ("ok", {"paid": True}, ["pay", "ship"])
    else:
        assert (place.run.state, place.run.error, place.did) == ("compensated", "refused", ["pay", "refund"])
    assert place.run.answer is None


def test_an_answer_to_a_step_that_does_not_wait_is_dropped_and_said_so(place: Place, caplog: pytest.LogCaptureFixture):
    saga = place.saga(Step("pay", lambda _: place.elsewhere(lambda: saga.resume("1", {"paid": True}, using=place.alias)) and None))
    with capture() as captured, caplog.at_level(logging.WARNING, "otelkit.saga"):
        place.start(saga)
        assert captured.point("saga.completed", saga="order", outcome="ok")["value"] == 1
    assert (place.run.state, place.run.data, place.run.answer) == ("ok", {}, None)
    (said,) = caplog.records
    assert said.getMessage() == "order 1: running had an answer to pay, which does not wait for one: it is dropped."


KILLED = """
import os, signal, sys
import django
django.setup()
from django.db import connections
from otelkit.patterns.saga import Saga, Step
connections.settings["there"] = connections.configure_settings({"default": {}, "there": __import__("json").loads(sys.argv[1])})["there"]
die = Step("pay", lambda _: os.kill(os.getpid(), signal.SIGKILL))
Saga("order", (Step("reserve", lambda data: data.update(reserved=1)), die)).start(key="1", using="there")
"""


def test_a_worker_that_is_killed_in_a_step_is_replaced_when_its_lease_has_run_out(place: Place):
    """By the sweeper, with what was done before written down, and not before."""
    entry = {name: value for name, value in connections.settings[place.alias].items() if name in ("ENGINE", "NAME", "USER", "HOST", "PORT")}
    code = subprocess.run(
        [sys.executable, "-c", KILLED, json.dumps(entry, default=str)],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        check=False,
        timeout=120,
    ).returncode
    assert code == -signal.SIGKILL
    assert (place.run.state, place.run.step, place.run.done) == ("running", "pay", ["reserve"])

    def pay(data: dict[str, Any]) -> None:
        place.did.append("pay")
        assert data == {"reserved": 1}

    place.saga(Step("reserve", lambda _: place.did.append("reserve")), Step("pay", pay))
    SagaRun.objects.using(place.alias).update(due_at=timezone.now() - timedelta(seconds=1))
    assert sweep(place.alias) == 0, "it may be alive"
    advance(place.run.id, place.alias)
    assert place.did == []
    place.steal()
    assert sweep(place.alias) == 1
    assert (place.run.state, place.did) == ("ok", ["pay"])
