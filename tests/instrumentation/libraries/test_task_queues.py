"""How much waits in the queues of tasks, asked of real brokers: in the background, true while no worker runs, and nobody's burden."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from kombu.transport.memory import Channel

from otelkit.libraries.celery_tasks import brokers
from otelkit.libraries.celery_tasks.brokers import ask
from otelkit.metrics.aggregator import Aggregator
from otelkit.metrics.question import PATIENCE
from otelkit.tasks import queues
from otelkit.tasks.queues import ASK_EVERY, FIRST_AFTER, Queues, TaskQueues, Waiting
from otelkit.testing import Telemetry, capture
from tests.backends import wait_until
from tests.brokers import running_rabbitmq, running_redis
from tests.instrumentation.libraries.celery_shop.app import configuration
from tests.instrumentation.libraries.workers import worker_thread

NOBODY = "redis://127.0.0.1:1/0"


@contextmanager
def memory(folder: Path) -> Iterator[str]:
    yield "memory://"


@contextmanager
def in_a_folder(folder: Path) -> Iterator[str]:
    yield "filesystem://"


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    pytest.importorskip("redis", reason="kombu needs the package redis for it: pip install redis")
    with running_redis(folder) as broker:
        yield broker.address


@contextmanager
def rabbitmq(folder: Path) -> Iterator[str]:
    with running_rabbitmq(folder) as broker:
        yield broker.address


BROKERS: dict[str, Callable[[Path], AbstractContextManager[str]]] = {
    "memory": memory,
    "filesystem": in_a_folder,
    "redis": redis,
    "rabbitmq": rabbitmq,
}
KNOWS_AGES = {"memory", "filesystem", "redis"}


@pytest.fixture(autouse=True)
def only_our_apps(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Celery]]:
    """Of all the apps that tests have made in this process, those of the test itself are asked; what waits in memory goes with them."""
    apps: list[Celery] = []
    among = brokers._apps
    monkeypatch.setattr(brokers, "_apps", lambda: (app for app in among() if app in apps))
    yield apps
    for queue in ("mail", "letters"):
        Channel.queues.pop(queue, None)


def send() -> str:
    return "sent"


def an_app(folder: Path, address: str, apps: list[Celery], **more: Any) -> Celery:
    app = Celery("queues", set_as_current=False)
    app.conf.update(configuration(folder, address))
    app.conf.update(broker_transport_options={**app.conf.broker_transport_options, **more}, task_default_queue="mail")
    app.task(name="mail.send", shared=False)(send)
    apps.append(app)
    return app


@pytest.fixture(scope="module", params=BROKERS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def address(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with BROKERS[kind](tmp_path_factory.mktemp(kind)) as address:
        yield address


@pytest.fixture
def app(address: str, tmp_path: Path, only_our_apps: list[Celery]) -> Iterator[Celery]:
    app = an_app(tmp_path, address, only_our_apps)
    yield app
    app.control.purge()
    app.close()


def asked(aggregator: Aggregator) -> dict[str, float]:
    """What a collection shows; an answer that is under way is waited for, as a test may and a collection does not."""
    shown = {snapshot.metric.name: point.value for snapshot in aggregator.collect() for point in snapshot.numbers}
    for thread in threading.enumerate():
        if thread.name == "otelkit-queues":
            thread.join(30)
    return shown


def test_a_broker_says_what_waits_and_what_it_knows_of_workers(app: Celery, kind: str):
    with capture():
        for _ in range(3):
            app.send_task("mail.send")
        # RabbitMQ takes them one after another, after it has been told.
        wait_until(lambda: ask()["mail"].depth == 3, 30, "three tasks do not wait")
        waiting = ask()["mail"]
        assert waiting.has_worker is (False if kind == "rabbitmq" else None)
        assert (waiting.oldest_age is not None) is (kind in KNOWS_AGES)
        assert 0 <= (waiting.oldest_age or 0) < 60
        with worker_thread(app):
            wait_until(lambda: ask()["mail"].depth == 0, 30, "no worker takes them")
            assert ask()["mail"].has_worker is (True if kind == "rabbitmq" else None)
        assert ask()["mail"].oldest_age == (0.0 if kind in KNOWS_AGES else None)


def test_asking_makes_no_queue_and_takes_no_task(app: Celery):
    with capture():
        app.send_task("mail.send")
        app.amqp.queues.add("letters")
        for _ in range(2):
            wait_until(
                lambda: {queue: waiting.depth for queue, waiting in ask().items()} == {"mail": 1, "letters": 0},
                30,
                "there is another number than one task",
            )
        with app.connection_for_read() as connection:
            message = connection.SimpleQueue(app.amqp.queues["mail"]).get(timeout=30)
            assert message.headers["redelivered"] if "redelivered" in message.headers else not message.delivery_info.get("redelivered")
            message.ack()


def test_the_age_counts_from_when_it_was_sent(tmp_path: Path, only_our_apps: list[Celery], monkeypatch: pytest.MonkeyPatch):
    """The oldest, also where priorities and a prefix hide it."""
    with redis(tmp_path) as address, capture():
        app = an_app(tmp_path, address, only_our_apps, global_keyprefix="shop:", priority_steps=[0, 5])
        real = brokers.time
        for age, priority in ((100, 5), (700, 0), (10, 0)):
            monkeypatch.setattr("otelkit.tasks.carrying.time", lambda age=age: real() - age)
            app.send_task("mail.send", priority=priority)
        waiting = ask()["mail"]
        assert waiting.depth == 3
        assert waiting.oldest_age == pytest.approx(700, abs=30)
        app.close()


def test_a_message_without_our_time_has_no_age(tmp_path: Path, only_our_apps: list[Celery]):
    """What a sender without the kit sent."""
    app = an_app(tmp_path, "memory://", only_our_apps)
    app.send_task("mail.send")
    assert ask()["mail"] == Waiting(1, None)


def test_an_app_that_was_not_used_is_left_alone(only_our_apps: list[Celery]):
    """Its configuration may not be complete yet."""
    unused = Celery("unused", broker=NOBODY, set_as_current=False)
    only_our_apps.append(unused)
    assert ask() == {}
    assert not unused.configured


def test_one_broker_that_is_away_does_not_silence_the_other(tmp_path: Path, only_our_apps: list[Celery]):
    app = an_app(tmp_path, "memory://", only_our_apps)
    away = an_app(tmp_path, "pyamqp://127.0.0.1:1//", only_our_apps)
    assert app.amqp.queues
    assert away.amqp.queues
    assert ask() == {"mail": Waiting(0, 0.0)}
    only_our_apps.remove(app)
    with pytest.raises(OSError, match="refused"):
        ask()


@pytest.fixture
def telemetry(monkeypatch: pytest.MonkeyPatch) -> Iterator[Telemetry]:
    monkeypatch.setattr(queues, "FIRST_AFTER", 0.0)
    with capture() as telemetry:
        yield telemetry


def test_the_running_kit_shows_it_and_its_questions_are_nobody_s_spans(app: Celery, kind: str, telemetry: Telemetry):
    app.send_task("mail.send")
    spans = [span["name"] for span in telemetry.spans]
    asked(telemetry.runtime.aggregator)
    assert telemetry.point("task.queue.depth", queue="mail")["value"] == 1
    assert ("task.queue.oldest.age" in telemetry.metrics) is (kind in KNOWS_AGES)
    assert ("worker.up" in telemetry.metrics) is (kind == "rabbitmq")
    assert [span["name"] for span in telemetry.spans] == spans


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_collection_never_waits_and_shows_the_answer_when_it_is_there():
    clock, aggregator = Clock(), Aggregator(2000)
    kept = TaskQueues(aggregator, clock=clock)
    kept.ask_of("Celery", lambda: {"mail": Waiting(3, 40.0, has_worker=False)})
    kept.ask_of("django-tasks-db", lambda: {"mail": Waiting(2, 50.0)})
    clock.now += FIRST_AFTER - 1
    assert asked(aggregator) == {}
    clock.now += 1
    assert "task.queue.depth" not in asked(aggregator), "asked, not waited for"
    clock.now += ASK_EVERY - 1
    assert asked(aggregator) == {"task.queue.depth": 5, "task.queue.oldest.age": 50.0, "worker.up": 0}
    kept.take(["mail"])
    assert asked(aggregator)["worker.up"] == 1


def test_a_keeper_that_fails_or_hangs_is_one_warning_and_no_metric(caplog: pytest.LogCaptureFixture):
    """B1."""
    clock, aggregator, let_go = Clock(), Aggregator(2000), threading.Event()
    kept = TaskQueues(aggregator, clock=clock)

    def refuse() -> Queues:
        raise ConnectionRefusedError("amqp://guest:hunter2@10.0.0.1")

    def hang() -> Queues:
        let_go.wait(60)
        return {}

    kept.ask_of("Celery", refuse)
    kept.ask_of("django-tasks-db", hang)
    try:
        with caplog.at_level(logging.WARNING, "otelkit"):
            for _ in range(4):
                clock.now += PATIENCE + ASK_EVERY
                assert aggregator.collect() == []
                for thread in threading.enumerate():
                    if thread.name == "otelkit-queues":
                        thread.join(0.2)
        assert sorted(record.getMessage() for record in caplog.records) == [
            "Queues of Celery: what waits is not measured while it cannot say: ConnectionRefusedError.",
            f"Queues of django-tasks-db: what waits is not measured while it cannot say: it has not answered within {PATIENCE:g} seconds.",
        ]
    finally:
        let_go.set()


def test_nobody_is_asked_where_the_settings_say_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, only_our_apps: list[Celery]):
    """A25."""
    monkeypatch.setattr(queues, "FIRST_AFTER", 0.0)
    app = an_app(tmp_path, "memory://", only_our_apps)
    with capture({"tasks": {"queues": False}}) as telemetry:
        app.send_task("mail.send")
        assert asked(telemetry.runtime.aggregator).keys().isdisjoint({"task.queue.depth", "task.queue.oldest.age", "worker.up"})
        assert "task.queue.depth" not in telemetry.metrics


def test_a_child_takes_nothing_until_it_says_so():
    aggregator = Aggregator(2000)
    kept = TaskQueues(aggregator)
    kept.take(["mail"])
    assert asked(aggregator) == {"worker.up": 1}
    aggregator.reset()
    assert asked(aggregator) == {}
