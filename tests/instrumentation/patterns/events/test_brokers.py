"""The brokers that kombu reaches, real ones where they are installed: nothing is lost when they restart, and silence is no success."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from otelkit.config import Events
from otelkit.patterns.events.broker import Broker, UnreachableError
from otelkit.patterns.events.consumer import Consumer
from otelkit.patterns.events.models import OutboxEvent
from otelkit.patterns.events.relay import Relay
from otelkit.testing import capture
from tests.backends import wait_until
from tests.brokers import RealBroker, running_rabbitmq, running_redis
from tests.instrumentation.patterns.events.conftest import Post
from tests.instrumentation.patterns.events.running import running_shop
from tests.receivers import receiver

SERVERS = {"redis": running_redis, "rabbitmq": running_rabbitmq}


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealBroker]:
    with SERVERS[request.param](tmp_path_factory.mktemp(request.param)) as running:
        yield running


@pytest.fixture
def post(server: RealBroker, request: pytest.FixtureRequest) -> Post:
    """Through the real one; each test has a consumer of its own, because queues stay."""
    return Post(Events(broker=server.address, source="orders", poll=0.05, retry_base=0.05, retry_cap=0.2))


def test_what_is_sent_outlives_a_restart_of_the_broker(post: Post, server: RealBroker):
    post.declare("restarted")
    for number in range(3):
        post.publish("order.placed", {"number": number}, aggregate="restarted")
    with capture() as telemetry:
        assert post.relay() == 3
        server.restart()
        mine = post.subscription(consumer="restarted")
        with Broker.of(post.settings) as broker:
            Consumer(broker, [mine], post.settings).drain(1.0)
        system = {"redis": "redis", "amqp": "rabbitmq"}[server.address.partition(":")[0]]
        telemetry.assert_span("process orders", {"messaging.system": system}, kind="CONSUMER", parent="send orders", times=3)
    assert [event.data["number"] for event in post.taken] == [0, 1, 2]


def test_a_message_that_no_queue_takes_is_no_silent_loss(post: Post):
    post.publish("order.placed", destination="nobody-listens")
    with suppress(UnreachableError):  # kombu takes it for a broken Redis, which keeps the event waiting as well
        post.relay()
    assert OutboxEvent.objects.get().state == "pending"


def test_relay_and_consumer_go_on_when_the_broker_is_back(post: Post, server: RealBroker):
    post.declare("surviving")
    ending = threading.Event()
    mine = post.subscription(consumer="surviving")

    def relay() -> None:
        with Broker.of(post.settings) as broker:
            Relay(broker, post.settings).run(ending)

    def consume() -> None:
        with Broker.of(post.settings) as broker:
            Consumer(broker, [mine], post.settings).run(ending)

    def leave() -> None:
        from django.db import connections

        connections.close_all()

    threads = [threading.Thread(target=lambda work=work: (work(), leave())) for work in (relay, consume)]
    for thread in threads:
        thread.start()
    try:
        post.publish("before")
        wait_until(lambda: len(post.taken) == 1, 60, "nothing arrives")
        server.stop()
        post.publish("meanwhile")
        server.start()
        post.publish("after")
        wait_until(lambda: len(post.taken) == 3, 60, "nothing arrives any more")
    finally:
        ending.set()
        for thread in threads:
            thread.join(60)
    assert [event.type for event in post.taken] == ["before", "meanwhile", "after"]


def test_what_a_killed_consumer_had_in_hand_comes_to_another(post: Post, server: RealBroker, tmp_path: Path):
    """B3: by SIGKILL, in the middle of its handler; half an effect is none."""
    marker = tmp_path / "seen"
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "shop.sqlite3"), "OPTIONS": {"timeout": 60}}
    settings: dict[str, Any] = {"broker": server.address, "poll": 0.05, "broker_options": {"visibility_timeout": "2"}}
    with receiver() as collector, running_shop(tmp_path, database, settings, collector) as shop:
        shop.run("place", "1", "--hangs-without", str(marker))
        shop.run("outbox", "relay", "--once")
        consumer = shop.start("inbox", "consume")
        wait_until(marker.exists, 60, "the handler is not called")
        shop.kill(consumer)
        assert shop.number("SELECT count(*) FROM shop_effect") == 0
        another = shop.start("inbox", "consume")
        shop.wait_for("SELECT count(*) FROM shop_effect", 1, "nobody else gets it")
        shop.stop(another)


def test_within_one_process_a_broker_in_memory_will_do():
    inside = Post(Events(broker="memory://", source="orders"))
    inside.declare("inside")
    for number in range(3):
        inside.publish("order.placed", number, aggregate="inside")
    assert inside.relay() == 3
    assert inside.consume(inside.subscription(consumer="inside")) == 3
    assert [event.data for event in inside.taken] == [0, 1, 2]


def test_nobody_at_the_address_is_said_as_such(tmp_path: Path):
    with Broker("amqp://guest:guest@127.0.0.1:1//") as broker, pytest.raises(UnreachableError, match="refused"):
        broker.publish("orders", "{}", {}, "1")
