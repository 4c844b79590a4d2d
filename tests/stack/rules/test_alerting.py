"""Alerts wait, fire, go on and end as Prometheus' do, and are remembered across restarts."""

from __future__ import annotations

import pytest

from otelkit_stack.promql import STALE, Engine, Labels, Matcher, MemoryStorage
from otelkit_stack.rules.alert import State, Transition
from otelkit_stack.rules.asking import promql
from otelkit_stack.rules.group import GroupState, Surroundings
from otelkit_stack.rules.model import AlertingRule, Group, RecordingRule, Rule

MINUTE = 60_000
TROUBLE = Labels.of({"__name__": "trouble", "service": "orders"})


class Bench:
    """A group over a store in memory, evaluated every minute."""

    def __init__(self, *rules: Rule, storage: MemoryStorage | None = None, is_restored: bool = True, limit: int = 0) -> None:
        self.storage = storage or MemoryStorage()
        self.sent: list[tuple[str, State, int | None]] = []
        self.history: list[Transition] = []
        surroundings = Surroundings(
            promql(Engine(self.storage)),
            self.storage,
            notify=lambda _, alerts: self.sent.extend((alert.labels.get("service"), alert.state, alert.valid_until) for alert in alerts),
            record=self.history.append,
        )
        self.group = GroupState(Group("g", "rules.yaml", rules, limit=limit), surroundings, is_restored=is_restored)

    def states(self) -> dict[str, State]:
        return {alert.labels.get("service"): alert.state for rule in self.group.rules if rule.alerting for alert in rule.alerting.active()}

    def run(self, minutes: range, *, is_in_trouble: bool) -> None:
        for minute in minutes:
            self.storage.append([(TROUBLE, minute * MINUTE, 1.0 if is_in_trouble else 0.0)])
            self.group.evaluate(minute * MINUTE)

    def last(self, name: str, **labels: str) -> list[tuple[Labels, int, float]]:
        matchers = [Matcher("__name__", "=", name), *(Matcher(key, "=", text) for key, text in labels.items())]
        return [(one.labels, int(one.timestamps[-1]), float(one.values[-1])) for one in self.storage.select(matchers, 0, 2**40)]


def rule(**fields: object) -> AlertingRule:
    return AlertingRule("Trouble", "trouble > 0", labels=Labels.of({"severity": "page"}), **fields)  # type: ignore[arg-type]


def test_an_alert_waits_as_long_as_its_rule_says() -> None:
    bench = Bench(rule(hold_ms=2 * MINUTE))
    bench.run(range(2), is_in_trouble=True)
    assert bench.states() == {"orders": State.PENDING}
    assert bench.sent == []
    bench.run(range(2, 3), is_in_trouble=True)
    assert bench.states() == {"orders": State.FIRING}
    assert bench.sent == [("orders", State.FIRING, 2 * MINUTE + 4 * MINUTE)]


def test_an_alert_that_ends_while_it_waits_is_never_heard_of() -> None:
    bench = Bench(rule(hold_ms=2 * MINUTE))
    bench.run(range(2), is_in_trouble=True)
    bench.run(range(2, 5), is_in_trouble=False)
    assert bench.states() == {}
    assert bench.sent == []


def test_an_alert_that_has_ended_is_told_about_for_a_quarter_of_an_hour() -> None:
    bench = Bench(rule())
    bench.run(range(2), is_in_trouble=True)
    bench.run(range(2, 40), is_in_trouble=False)
    ends = [state for _, state, _ in bench.sent if state is State.INACTIVE]
    assert 7 <= len(ends) <= 16
    assert bench.group.rules[0].alerting is not None
    assert bench.group.rules[0].alerting.alerts == {}


def test_an_alert_goes_on_firing_as_long_as_its_rule_says() -> None:
    bench = Bench(rule(keep_firing_ms=3 * MINUTE))
    bench.run(range(1), is_in_trouble=True)
    bench.run(range(1, 4), is_in_trouble=False)
    assert bench.states() == {"orders": State.FIRING}
    bench.run(range(4, 5), is_in_trouble=False)
    assert bench.states() == {}


def test_what_happens_to_an_alert_goes_into_the_history() -> None:
    bench = Bench(rule(hold_ms=MINUTE))
    bench.run(range(2), is_in_trouble=True)
    bench.run(range(2, 3), is_in_trouble=False)
    labels = Labels.of({"alertname": "Trouble", "service": "orders", "severity": "page"})
    assert bench.history == [
        Transition(0, "Trouble", labels, State.INACTIVE, State.PENDING, 1.0),
        Transition(MINUTE, "Trouble", labels, State.PENDING, State.FIRING, 1.0),
        Transition(2 * MINUTE, "Trouble", labels, State.FIRING, State.INACTIVE, 1.0),
    ]


def test_an_alert_is_a_series_too_until_it_ends() -> None:
    bench = Bench(rule(hold_ms=MINUTE))
    bench.run(range(1), is_in_trouble=True)
    own = {"alertname": "Trouble", "service": "orders", "severity": "page"}
    pending = Labels.of({**own, "__name__": "ALERTS", "alertstate": "pending"})
    assert bench.last("ALERTS") == [(pending, 0, 1.0)]
    bench.run(range(1, 2), is_in_trouble=True)
    assert [value for _, _, value in bench.last("ALERTS", alertstate="firing")] == [1.0]
    ((_, _, ended),) = bench.last("ALERTS", alertstate="pending")
    assert str(ended) == str(STALE)
    assert bench.last("ALERTS_FOR_STATE") == [(Labels.of({**own, "__name__": "ALERTS_FOR_STATE"}), MINUTE, 0.0)]
    bench.run(range(2, 3), is_in_trouble=False)
    assert Engine(bench.storage).instant("count(ALERTS)", 2 * MINUTE).answer == Engine(bench.storage).instant("count(x)", 2 * MINUTE).answer


@pytest.mark.parametrize(
    ("down_minutes", "expected_minute"),
    [
        (5, 45),  # 20 of 30 minutes had passed: 10 are left, and 5 were lost
        (50, 90),
        (70, 130),  # longer than an hour: forgotten
    ],
)
def test_after_a_restart_an_alert_goes_on_waiting(down_minutes: int, expected_minute: int) -> None:
    """The time that the stack was away is not counted."""
    first = Bench(rule(hold_ms=30 * MINUTE))
    first.run(range(10, 31), is_in_trouble=True)
    back = 30 + down_minutes
    second = Bench(rule(hold_ms=30 * MINUTE), storage=first.storage, is_restored=False)
    second.run(range(back, back + 1), is_in_trouble=True)
    second.group.restore(back * MINUTE)
    minute = back
    while second.states() != {"orders": State.FIRING}:
        minute += 1
        assert minute < 200
        second.run(range(minute, minute + 1), is_in_trouble=True)
    assert minute == expected_minute


def test_after_a_restart_an_alert_that_fired_fires_at_once() -> None:
    first = Bench(rule(hold_ms=15 * MINUTE))
    first.run(range(20), is_in_trouble=True)
    second = Bench(rule(hold_ms=15 * MINUTE), storage=first.storage, is_restored=False)
    second.run(range(25, 27), is_in_trouble=True)
    assert second.states() == {"orders": State.PENDING}
    second.group.restore(26 * MINUTE)
    second.run(range(27, 28), is_in_trouble=True)
    assert second.states() == {"orders": State.FIRING}


def test_before_the_old_state_is_read_no_new_one_is_written() -> None:
    bench = Bench(rule(), is_restored=False)
    bench.run(range(2), is_in_trouble=True)
    assert bench.last("ALERTS_FOR_STATE") == []
    bench.group.restore(MINUTE)
    bench.run(range(2, 3), is_in_trouble=True)
    assert len(bench.last("ALERTS_FOR_STATE")) == 1


def test_a_loaded_rule_that_waits_longer_makes_its_alerts_wait() -> None:
    old = Bench(rule())
    old.run(range(2), is_in_trouble=True)
    assert old.states() == {"orders": State.FIRING}
    new = Bench(rule(hold_ms=5 * MINUTE), storage=old.storage)
    new.group.take_over(old.group)
    new.run(range(2, 3), is_in_trouble=True)
    assert new.states() == {"orders": State.PENDING}
    new.run(range(3, 6), is_in_trouble=True)
    assert new.states() == {"orders": State.FIRING}


def test_a_recording_rule_writes_its_vector_under_its_name_and_says_when_a_series_ends() -> None:
    bench = Bench(RecordingRule("kept:trouble", "trouble > 0", Labels.of({"team": "shop", "service": "renamed"})))
    bench.run(range(1), is_in_trouble=True)
    recorded = Labels.of({"__name__": "kept:trouble", "service": "renamed", "team": "shop"})
    assert bench.last("kept:trouble") == [(recorded, 0, 1.0)]
    bench.run(range(1, 2), is_in_trouble=False)
    ((labels, time, value),) = bench.last("kept:trouble")
    assert (labels, time, str(value)) == (recorded, MINUTE, str(STALE))


def test_a_rule_sees_what_the_rules_before_it_wrote_at_the_same_moment() -> None:
    bench = Bench(RecordingRule("double", "trouble * 2"), RecordingRule("fourfold", "double * 2"))
    bench.run(range(1), is_in_trouble=True)
    assert [value for _, _, value in bench.last("fourfold")] == [4.0]


TWICE = 'label_replace(trouble, "a", "1", "", "") or trouble'
BOTH = '{__name__=~"trouble|other"}'
SAME = "vector contains metrics with the same labelset after applying"


@pytest.mark.parametrize(
    ("rule", "limit", "error"),
    [
        (RecordingRule("x", TWICE), 1, "exceeded limit of 1 with 2 series"),
        (RecordingRule("x", TWICE, Labels.of({"a": "2"})), 0, f"{SAME} rule labels"),
        (RecordingRule("x", '"text"'), 0, "rule result is not a vector or scalar"),
        (RecordingRule("x", f"-{BOTH} + on () trouble"), 0, "multiple matches for labels: many-to-one matching must be explicit"),
        (AlertingRule("A", BOTH, labels=Labels.of({"service": "same"})), 0, f"{SAME} alert labels"),
        (AlertingRule("A", BOTH), 1, "exceeded limit of 1 with 2 alerts"),
    ],
)
def test_a_rule_that_fails_says_why_and_the_others_go_on(rule: Rule, limit: int, error: str) -> None:
    bench = Bench(rule, RecordingRule("other_rule", "trouble"), limit=limit)
    bench.storage.append([(Labels.of({"__name__": "other"}), 0, 1.0)])
    bench.run(range(1), is_in_trouble=True)
    failed, fine = bench.group.rules
    assert failed.health == "err"
    assert failed.error.startswith(error)
    assert (fine.health, fine.error) == ("ok", "")
    assert len(bench.last("other_rule")) == 1


def test_a_group_that_looks_back_writes_back() -> None:
    storage = MemoryStorage()
    storage.append([(TROUBLE, 0, 1.0), (TROUBLE, MINUTE, 2.0)])
    surroundings = Surroundings(promql(Engine(storage)), storage)
    group = GroupState(Group("g", "f", (RecordingRule("x", "trouble"),), query_offset_ms=MINUTE), surroundings)
    group.evaluate(MINUTE)
    (series,) = storage.select([Matcher("__name__", "=", "x")], 0, MINUTE)
    assert (series.timestamps.tolist(), series.values.tolist()) == ([0], [1.0])
