"""Groups are evaluated when their time has come, and changed while they are."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable

from otelkit_stack.promql import Engine, Labels, Matcher, MemoryStorage
from otelkit_stack.rules.asking import promql
from otelkit_stack.rules.group import Surroundings
from otelkit_stack.rules.manager import RuleManager, due
from otelkit_stack.rules.model import AlertingRule, Group, RecordingRule
from tests.backends import wait_until

MINUTE = 60_000


class Clock:
    def __init__(self, now: int) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


def manager_of(storage: MemoryStorage, clock: Clock) -> RuleManager:
    return RuleManager(Surroundings(promql(Engine(storage)), storage), clock=clock)


def times_of(storage: MemoryStorage, name: str) -> list[int]:
    found = storage.select([Matcher("__name__", "=", name)], 0, 2**50)
    return [time for series in found for time in series.timestamps.tolist()]


def group(name: str, *, interval_ms: int = MINUTE) -> Group:
    return Group(name, "rules.yaml", (RecordingRule(name, "vector(1)"),), interval_ms)


def test_a_group_is_evaluated_at_its_own_place_in_each_interval() -> None:
    storage, clock = MemoryStorage(), Clock(10 * MINUTE)
    manager = manager_of(storage, clock)
    manager.replace([group("one"), group("two", interval_ms=2 * MINUTE)])
    for _ in range(8):
        clock.now = manager.evaluate_due() or 0
    one, two = times_of(storage, "one"), times_of(storage, "two")
    assert {later - earlier for earlier, later in itertools.pairwise(one)} == {MINUTE}
    assert {later - earlier for earlier, later in itertools.pairwise(two)} == {2 * MINUTE}
    assert one[0] % MINUTE == due(group("one"), MINUTE, 0) % MINUTE
    assert one[0] % MINUTE != two[0] % MINUTE


def test_moments_that_were_missed_are_left_out() -> None:
    storage, clock = MemoryStorage(), Clock(10 * MINUTE)
    manager = manager_of(storage, clock)
    manager.replace([group("one")])
    first = manager.evaluate_due() or 0
    clock.now = first + 5 * MINUTE + 7
    assert manager.evaluate_due() == first + 6 * MINUTE
    assert times_of(storage, "one") == [first + 5 * MINUTE]


def test_series_of_a_group_that_is_gone_end() -> None:
    storage, clock = MemoryStorage(), Clock(0)
    manager = manager_of(storage, clock)
    manager.replace([group("one"), group("two")])
    clock.now = 2 * MINUTE
    manager.evaluate_due()
    clock.now += 1
    manager.replace([group("two")])
    assert [one.group.name for one in manager.groups] == ["two"]
    engine = Engine(storage)
    assert engine.instant("one", clock.now).answer == engine.instant("nothing", clock.now).answer
    assert engine.instant("two", clock.now).answer != engine.instant("nothing", clock.now).answer


def test_a_group_that_stays_keeps_its_alerts() -> None:
    storage, clock = MemoryStorage(), Clock(0)
    manager = manager_of(storage, clock)
    rule = AlertingRule("Always", "vector(1)", hold_ms=30 * MINUTE)
    manager.replace([Group("g", "f", (rule,))])
    clock.now = manager.evaluate_due() or 0
    manager.evaluate_due()
    (before,) = manager.groups
    manager.replace([Group("g", "f", (RecordingRule("new", "vector(1)"), rule))])
    (after,) = manager.groups
    assert before.rules[0].alerting is not None
    assert after.rules[1].alerting is not None
    assert after.rules[1].alerting.alerts == before.rules[0].alerting.alerts != {}


class Store(MemoryStorage):
    """Fails once, and then says that something was written."""

    def __init__(self) -> None:
        super().__init__()
        self.failures = 1
        self.written = threading.Event()

    def append(self, samples: Iterable[tuple[Labels, int, float]]) -> None:
        if self.failures:
            self.failures -= 1
            raise OSError("the disk is full")
        super().append(samples)
        self.written.set()


def test_the_thread_evaluates_what_is_due_and_outlives_a_store_that_fails() -> None:
    storage = Store()
    with RuleManager(Surroundings(promql(Engine(storage)), storage)) as manager:
        manager.start()
        manager.replace([group("quick", interval_ms=10)])
        assert storage.written.wait(20)
        assert wait_until(lambda: len(times_of(storage, "quick")) > 2, 20, "the group was not evaluated again")
    assert "rules" not in [thread.name for thread in threading.enumerate()]
