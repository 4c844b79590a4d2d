"""Runs the files of ``promtool test rules`` on our rule engine."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from otelkit_stack.promql import Engine, Labels, MatrixAnswer, MemoryStorage, Options
from otelkit_stack.promql.durations import milliseconds, parse
from otelkit_stack.promql.grammar import parse as parse_query
from otelkit_stack.promql.syntax import VectorSelector
from otelkit_stack.rules.alerting import firing
from otelkit_stack.rules.asking import Vector, promql
from otelkit_stack.rules.files import load
from otelkit_stack.rules.group import GroupState, Surroundings
from otelkit_stack.rules.model import Group, RecordingRule, Rule
from tests.stack.promql.notation import read_series
from tests.stack.promql.script_runner import nodes

Found = list[tuple[Labels, Labels]]
"""Labels and annotations of alerts, sorted."""


def problems_of(file: Path, *, only: Callable[[Mapping[str, Any]], bool] = lambda _: True, step_by_step: bool = False) -> Iterator[str]:
    """How our engine's alerts and samples differ from what the file expects; nothing where they do not.

    Without ``step_by_step`` each rule is evaluated at all steps before the next rule is, its expression by one range query; that is the
    same, a hundred times faster, as long as rules read only what rules before them write. Raises ValueError where they read more.
    """
    content = yaml.safe_load(file.read_text())
    interval = _ms(content.get("evaluation_interval", "1m"))
    order = {name: position for position, name in enumerate(content.get("group_eval_order", []))}
    groups = [group for name in content["rule_files"] for group in load(file.parent / name)]
    groups.sort(key=lambda group: order.get(group.name, 0))
    for test in filter(only, content["tests"]):
        run = _Run(test, interval, groups)
        for problem in run.step_by_step() if step_by_step else run.rule_by_rule():
            yield f"{file.name}: {test.get('name', 'a test')}: {problem}"


class _Run:
    def __init__(self, test: Mapping[str, Any], interval: int, groups: Sequence[Group]) -> None:
        self._interval = interval
        self._alert_tests = test.get("alert_rule_test", [])
        self._sample_tests = test.get("promql_expr_test", [])
        self._end = max((_ms(one["eval_time"]) for one in (*self._alert_tests, *self._sample_tests)), default=0)
        self._storage = MemoryStorage()
        self._engine = Engine(self._storage, Options(subquery_step_ms=interval))
        self._instant = promql(self._engine)
        self._answers: dict[tuple[str, int], Vector] = {}
        """What range queries found already, by expression and moment."""
        surroundings = Surroundings(self._ask, self._storage, default_interval_ms=interval)
        self._groups = [GroupState(group, surroundings, is_restored=True) for group in groups]
        step = _ms(test.get("interval", "0")) or interval
        lines = [read_series(f"{one['series']} {one['values']}") for one in test.get("input_series", [])]
        self._input = sorted(
            (index * step, position, line.labels, value)
            for position, line in enumerate(lines)
            for index, value in enumerate(line.values)
            if value is not None and index * step <= self._end
        )

    def _ask(self, expression: str, now: int) -> Vector:
        known = self._answers.get((expression, now))
        return self._instant(expression, now) if known is None else known

    def step_by_step(self) -> Iterator[str]:
        """As Prometheus does it: at each step every rule."""
        for now in range(0, self._end + 1, self._interval):
            while self._input and self._input[0][0] <= now:
                time, _, labels, value = self._input.pop(0)
                self._storage.append([(labels, time, value)])
            for group in self._groups:
                group.evaluate(now)
            yield from self._failures([state for group in self._groups for state in group.rules], now)
            for one in self._alert_tests_of(now):
                yield from self._compare_alerts(one, [alert for group in self._groups for alert in _firing(group, one["alertname"])])
        yield from self._compare_all_samples()

    def rule_by_rule(self) -> Iterator[str]:
        """Each rule at all steps."""
        _require_order([state.rule for group in self._groups for state in group.rules])
        self._storage.append((labels, time, value) for time, _, labels, value in self._input)
        fired: dict[int, Found] = {}
        moments = range(0, self._end + 1, self._interval)
        for group in self._groups:
            for state in group.rules:
                self._ask_ahead(state.rule.expression, moments)
                for now in moments:
                    group.evaluate_rule(state, now)
                    yield from self._failures([state], now)
                    if state.alerting is not None:
                        alerts = firing(state.alerting.alerts.values())
                        fired.setdefault(now, []).extend((alert.labels, alert.annotations) for alert in alerts)
        for now in moments:
            for one in self._alert_tests_of(now):
                name = one["alertname"]
                given = [(labels, annotations) for labels, annotations in fired[now] if labels.get("alertname") == name]
                yield from self._compare_alerts(one, given)
        yield from self._compare_all_samples()

    def _ask_ahead(self, expression: str, moments: range) -> None:
        answer = self._engine.range(expression, moments[0], moments[-1], self._interval).answer
        assert isinstance(answer, MatrixAnswer)
        vectors: dict[int, list[tuple[Labels, float]]] = {now: [] for now in moments}
        for labels, times, values in answer.series:
            for time, value in zip(times.tolist(), values.tolist(), strict=True):
                vectors[time].append((labels, value))
        self._answers = {(expression, now): vector for now, vector in vectors.items()}

    def _failures(self, states: Sequence[Any], now: int) -> Iterator[str]:
        yield from (f"{state.rule.name} at {now} ms: {state.error}" for state in states if state.error)

    def _alert_tests_of(self, now: int) -> Iterator[Mapping[str, Any]]:
        yield from (one for one in self._alert_tests if now <= _ms(one["eval_time"]) < now + self._interval)

    def _compare_alerts(self, test: Mapping[str, Any], given: Found) -> Iterator[str]:
        name = test["alertname"]
        expected = sorted(
            (Labels.of({**one.get("exp_labels", {}), "alertname": name}), Labels.of(one.get("exp_annotations", {})))
            for one in test.get("exp_alerts") or []
        )
        if sorted(given) != expected:
            yield f"{name} at {test['eval_time']}: expected {_shown(expected)}; got {_shown(sorted(given))}"

    def _compare_all_samples(self) -> Iterator[str]:
        for test in self._sample_tests:
            expected = sorted((read_series(f"{one['labels']} 0").labels, float(one["value"])) for one in test.get("exp_samples") or [])
            given = sorted(self._instant(test["expr"], _ms(test["eval_time"])))
            same = [labels for labels, _ in given] == [labels for labels, _ in expected] and all(
                math.isclose(value, other, rel_tol=1e-12) for (_, value), (_, other) in zip(given, expected, strict=True)
            )
            if not same:
                yield f"{test['expr']} at {test['eval_time']}: expected {expected}; got {given}"


def _firing(group: GroupState, name: str) -> Found:
    states = [state.alerting for state in group.rules if state.alerting is not None and state.rule.name == name]
    return [(alert.labels, alert.annotations) for state in states for alert in firing(state.alerts.values())]


def _require_order(rules: Sequence[Rule]) -> None:
    for index, rule in enumerate(rules):
        for selector in nodes(parse_query(rule.expression), VectorSelector):
            writers = [later.name for later in rules[index:] if _may_write(later, selector)]
            if writers:
                raise ValueError(f"{rule.name} reads what {writers[0]} writes, which comes no earlier")


def _may_write(rule: Rule, selector: VectorSelector) -> bool:
    written = dict(rule.labels) | {"__name__": rule.name}
    names = [rule.name] if isinstance(rule, RecordingRule) else ["ALERTS", "ALERTS_FOR_STATE"]
    return any(
        all(one.matches(name if one.name == "__name__" else written[one.name]) for one in selector.matchers if one.name in written)
        for name in names
    )


def _shown(found: Found) -> str:
    return "; ".join(f"{labels} {annotations}" for labels, annotations in found) or "nothing"


def _ms(text: str) -> int:
    return milliseconds(parse(str(text)))
