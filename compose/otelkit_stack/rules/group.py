"""A group of rules, evaluated one after the other: each sees what those before it wrote."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from otelkit_stack.promql.errors import QueryError
from otelkit_stack.promql.labels import METRIC_NAME, Labels
from otelkit_stack.promql.storage import STALE, Storage
from otelkit_stack.rules.alert import Alert, Transition
from otelkit_stack.rules.alerting import AlertingState
from otelkit_stack.rules.asking import Ask, Vector
from otelkit_stack.rules.errors import RuleError
from otelkit_stack.rules.model import AlertingRule, Group, Language, RecordingRule, Rule
from otelkit_stack.rules.restoring import restore

DEFAULT_INTERVAL_MS = 60_000
_SAME_LABELS = "vector contains metrics with the same labelset after applying rule labels"


class RuleStorage(Storage, Protocol):
    """A store that rules read from and write to."""

    def append(self, samples: Iterable[tuple[Labels, int, float]]) -> None:
        """Keep samples: labels, milliseconds since the epoch, value. One that is not later than its series' last is left out."""
        ...


def _no_logs(_expression: str, _time_ms: int) -> Vector:
    raise RuleError("there are no logs here to ask")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all groups share."""

    ask: Ask
    storage: RuleStorage
    ask_logs: Ask = _no_logs
    """Asks in LogQL, for groups that do."""
    notify: Callable[[str, Sequence[Alert]], None] = lambda _, __: None
    """Takes a rule's expression, and the alerts that Alertmanager must hear of."""
    record: Callable[[Transition], None] = lambda _: None
    """Takes what goes into the history."""
    external_labels: Mapping[str, str] = field(default_factory=dict)
    external_url: str = ""
    default_interval_ms: int = DEFAULT_INTERVAL_MS
    resend_ms: int = 60_000
    """How often an alert that goes on firing is told again."""
    outage_ms: int = 3_600_000
    """How long the stack may have been away for its alerts to be remembered."""
    grace_ms: int = 600_000
    """An alert that had nearly fired before waits at least this long again; rules that wait less are not restored."""


@dataclass(slots=True)
class RuleState:
    """A rule, and what became of its last evaluation."""

    rule: Rule
    alerting: AlertingState | None
    error: str = ""
    last_ms: int | None = None
    duration_s: float = 0.0
    written: frozenset[Labels] = frozenset()
    """The series of its last successful evaluation."""

    @property
    def health(self) -> str:
        return "unknown" if self.last_ms is None else "err" if self.error else "ok"


class GroupState:
    """A group that is being evaluated."""

    def __init__(self, group: Group, surroundings: Surroundings, *, is_restored: bool = False) -> None:
        self.group = group
        self.interval_ms = group.interval_ms or surroundings.default_interval_ms
        self.last_ms: int | None = None
        self.duration_s = 0.0
        self.rules = [RuleState(rule, self._alerting(rule, surroundings, is_restored=is_restored)) for rule in group.rules]
        self._surroundings = surroundings
        self._ask = surroundings.ask if group.language is Language.PROMQL else surroundings.ask_logs
        self._abandoned: frozenset[Labels] = frozenset()
        """Series of rules that are no longer there."""

    def evaluate(self, now: int) -> None:
        """Evaluate every rule at this moment, in milliseconds since the epoch. A rule that fails says so in its ``error``."""
        began = time.perf_counter()
        for state in self.rules:
            self.evaluate_rule(state, now)
        if self._abandoned:
            self._surroundings.storage.append((labels, now - self.group.query_offset_ms, STALE) for labels in self._abandoned)
            self._abandoned = frozenset()
        self.last_ms, self.duration_s = now, time.perf_counter() - began

    def restore(self, now: int) -> None:
        """Remember since when the alerts were active before the stack was started; to be called after some evaluations."""
        for state in self.rules:
            if state.alerting is not None:
                restore(state.alerting, self._surroundings.storage, now, self._surroundings.outage_ms, self._surroundings.grace_ms)

    def take_over(self, former: GroupState) -> None:
        """Go on with the alerts of a former version of the group; rules are the same if name and labels are."""
        self.last_ms, self.duration_s = former.last_ms, former.duration_s
        remaining = list(former.rules)
        for state in self.rules:
            same = next((old for old in remaining if _identity(old.rule) == _identity(state.rule)), None)
            if same is None:
                continue
            remaining.remove(same)
            state.written = same.written
            if state.alerting is not None and same.alerting is not None:
                state.alerting.alerts.update(same.alerting.alerts)
                state.alerting.is_restored = same.alerting.is_restored
        self._abandoned = former._abandoned.union(*(old.written for old in remaining))

    def abandon(self, now: int) -> None:
        """Say of every series of the group that it has ended."""
        ended = self._abandoned.union(*(state.written for state in self.rules))
        self._surroundings.storage.append((labels, now, STALE) for labels in ended)

    def _alerting(self, rule: Rule, surroundings: Surroundings, *, is_restored: bool) -> AlertingState | None:
        if not isinstance(rule, AlertingRule):
            return None
        labels, url = surroundings.external_labels, surroundings.external_url
        return AlertingState(rule, external_labels=labels, external_url=url, is_restored=is_restored)

    def evaluate_rule(self, state: RuleState, now: int) -> None:
        """Evaluate one of the group's rules alone."""
        began = time.perf_counter()
        surroundings, offset = self._surroundings, self.group.query_offset_ms
        try:
            if state.alerting is not None:
                vector = state.alerting.evaluate(self._ask, now, offset, self.group.limit)
            else:
                assert isinstance(state.rule, RecordingRule)
                vector = _recorded(state.rule, self._ask, now - offset, self.group.limit)
        except (QueryError, RuleError) as error:
            state.error = str(error)
        else:
            state.error = ""
            self._tell(state, now)
            written = frozenset(labels for labels, _ in vector)
            gone = [(labels, STALE) for labels in state.written - written]
            surroundings.storage.append((labels, now - offset, value) for labels, value in (*vector, *gone))
            state.written = written
        finally:
            state.last_ms, state.duration_s = now, time.perf_counter() - began

    def _tell(self, state: RuleState, now: int) -> None:
        if state.alerting is None:
            return
        for transition in state.alerting.take_transitions():
            self._surroundings.record(transition)
        alerts = state.alerting.to_send(now, self._surroundings.resend_ms, self.interval_ms)
        if alerts:
            self._surroundings.notify(state.rule.expression, alerts)


def _recorded(rule: RecordingRule, ask: Ask, at: int, limit: int) -> list[tuple[Labels, float]]:
    own = {METRIC_NAME: rule.name, **dict(rule.labels)}
    vector = [(Labels.of({**dict(labels), **own}), value) for labels, value in ask(rule.expression, at)]
    if len({labels for labels, _ in vector}) != len(vector):
        raise RuleError(_SAME_LABELS)
    if 0 < limit < len(vector):
        raise RuleError(f"exceeded limit of {limit} with {len(vector)} series")
    return vector


def _identity(rule: Rule) -> tuple[type[Rule], str, Labels]:
    return type(rule), rule.name, rule.labels
