"""Relays killed, consumers doubled, broker restarted: every event has its effect once, in order, and the metrics say so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from tests.backends import wait_until
from tests.brokers import RealBroker, running_rabbitmq, running_redis
from tests.instrumentation.patterns.events.running import PATIENCE, Shop, running_shop
from tests.postgresql import running_postgresql
from tests.receivers import receiver

PUBLISHED = "SELECT count(*) FROM otelkit_outbox WHERE state = 'published'"
PENDING = "SELECT count(*) FROM otelkit_outbox WHERE state = 'pending'"
EFFECTS = "SELECT count(*) FROM shop_effect"
OPEN = "SELECT count(*) FROM otelkit_inbox WHERE state <> 'done'"
KILLS = 5


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """Where a relay's claim is a lease, and where it is a lock."""
    if request.param == "sqlite":
        yield {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "shop.sqlite3"), "OPTIONS": {"timeout": 60}}
    else:
        with running_postgresql() as server:
            yield server.settings()


@pytest.fixture
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RealBroker | str]:
    """A real one, or the address of a folder."""
    servers = {"redis": running_redis, "rabbitmq": running_rabbitmq}
    if request.param in servers:
        with servers[request.param](tmp_path) as running:
            yield running
    else:
        yield f"filesystem://{tmp_path}/broker"


def interrupt(shop: Shop, broker: RealBroker | str, consumers: list[Popen[bytes]]) -> list[Popen[bytes]]:
    """RabbitMQ restarts under its consumers. From the others they leave first, and come again.

    A folder cannot restart, and Redis loses what it is just handing over: kombu notes what it has only after it was taken out.
    """
    if isinstance(broker, RealBroker) and broker.address.startswith("amqp"):
        broker.restart()
        return consumers
    for consumer in consumers:
        shop.stop(consumer)
    if isinstance(broker, RealBroker):
        broker.restart()
    return [shop.start("inbox", "consume") for _ in consumers]


def go_through_it(shop: Shop, events: int, broker: RealBroker | str) -> None:
    """Everything that must not matter, at once."""
    half = events // 2
    consumers = [shop.start("inbox", "consume") for _ in range(2)]
    publishers = [shop.start("place", str(half), "--seed", str(seed)) for seed in range(2)]
    for kill in range(1, KILLS + 1):
        relay = shop.start("outbox", "relay")
        shop.wait_for(PUBLISHED, events * kill // (KILLS + 3), "nothing is published")
        shop.kill(relay)
        if kill == 2 and isinstance(broker, RealBroker):
            consumers = interrupt(shop, broker, consumers)
    for publisher in publishers:
        shop.finish(publisher)

    # No relay runs now: who tells of the backlog is a consumer.
    waiting = shop.number(PENDING)
    assert waiting > 0
    pids = [consumer.pid for consumer in consumers]
    wait_until(lambda: {shop.gauges("outbox.pending").get(pid) for pid in pids} == {waiting}, PATIENCE, "outbox.pending is wrong")
    assert all(shop.gauges("outbox.oldest.age")[pid] > 0 for pid in pids)

    consumers = interrupt(shop, broker, consumers)
    shop.ask("UPDATE otelkit_outbox SET state = 'pending' WHERE id IN (SELECT min(id) FROM otelkit_outbox GROUP BY aggregate)")
    twice = shop.number(PENDING) - waiting
    relays = [shop.start("outbox", "relay") for _ in range(2)]
    shop.wait_for(PUBLISHED, events, "not everything is published")
    shop.wait_for(EFFECTS, events, "not everything has its effect")
    wait_until(lambda: shop.number(OPEN) == 0, PATIENCE, "the inbox is not done")
    assert twice > 0

    pids = [process.pid for process in (*relays, *consumers)]
    wait_until(lambda: {shop.gauges("outbox.pending").get(pid) for pid in pids} == {0}, PATIENCE, "outbox.pending is wrong")
    wait_until(lambda: {shop.gauges("outbox.oldest.age").get(pid) for pid in pids} == {0}, PATIENCE, "outbox.oldest.age is wrong")
    for process in (*relays, *consumers):
        shop.stop(process)
    prove(shop, events, twice)


def prove(shop: Shop, events: int, twice: int) -> None:
    """Once, in order, none lost; and the counters say the same."""
    assert shop.number("SELECT count(*) FROM otelkit_outbox") == events
    effects: dict[str, list[int]] = {}
    for aggregate, position in shop.ask("SELECT aggregate, position FROM shop_effect ORDER BY id"):
        effects.setdefault(aggregate, []).append(position)
    assert sum(map(len, effects.values())) == events
    for aggregate, positions in effects.items():
        assert positions == list(range(1, len(positions) + 1)), aggregate
    outcomes = shop.counted("inbox.processed", "outcome")
    assert outcomes["ok"] == events
    assert outcomes["duplicate"] >= twice
    assert outcomes["failed"] == events // 50
    assert outcomes["dead"] == 0
    # What a killed relay had counted since its last export is lost with it; the others' counts are all there.
    assert 0 < shop.counted("outbox.published", "outcome")["ok"] <= events + outcomes["duplicate"]


def settings_for(broker: RealBroker | str) -> dict[str, Any]:
    """Short pauses, because a test waits for them; and all patience with an event that is late, because none is lost."""
    address = broker if isinstance(broker, str) else broker.address
    settings = {"broker": address, "batch": 25, "poll": 0.05, "lease": 1.0, "retry_base": 0.05, "order_patience": PATIENCE}
    # After which Redis gives back what somebody took and did not acknowledge; kombu's own hour is long.
    return settings | ({"broker_options": {"visibility_timeout": "5"}} if address.startswith("redis") else {})


@pytest.mark.parametrize(("database", "broker"), [("sqlite", "folder"), ("postgresql", "folder")], indirect=True)
def test_five_hundred_events_with_the_relay_killed_five_times(database: dict[str, Any], broker: str, tmp_path: Path):
    """A20: also twice the consumers, a broker that everybody leaves and comes back to, and events that are sent twice."""
    with receiver() as collector, running_shop(tmp_path, database, settings_for(broker), collector) as shop:
        go_through_it(shop, 500, broker)


@pytest.mark.soak
@pytest.mark.parametrize(
    ("database", "broker"),
    [("sqlite", "folder"), ("postgresql", "folder"), ("postgresql", "redis"), ("postgresql", "rabbitmq")],
    indirect=True,
)
def test_ten_thousand_events_with_the_relay_killed_five_times(database: dict[str, Any], broker: RealBroker | str, tmp_path: Path):
    """A20: the same, long enough for what is rare, and with brokers that restart twice."""
    with receiver() as collector, running_shop(tmp_path, database, settings_for(broker), collector) as shop:
        go_through_it(shop, 10_000, broker)
