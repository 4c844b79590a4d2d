"""Alerting rules: what their expression finds becomes alerts that wait, fire and end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from otelkit_stack.go_template.errors import TemplateError
from otelkit_stack.promql.errors import QueryError
from otelkit_stack.promql.labels import METRIC_NAME, Labels
from otelkit_stack.rules.alert import Alert, State, Transition
from otelkit_stack.rules.asking import Ask, Vector
from otelkit_stack.rules.errors import RuleError
from otelkit_stack.rules.model import AlertingRule
from otelkit_stack.rules.templates.template import Template, TemplateData
from otelkit_stack.rules.templates.values import Sample

ALERTS = "ALERTS"
FOR_STATE = "ALERTS_FOR_STATE"
_KEPT_RESOLVED_MS = 15 * 60_000
"""How long a resolved alert is told about, should Alertmanager have missed its end."""


class AlertingState:
    """The alerts of one rule."""

    def __init__(self, rule: AlertingRule, *, external_labels: Mapping[str, str], external_url: str, is_restored: bool) -> None:
        self.rule = rule
        self.alerts: dict[Labels, Alert] = {}
        self.is_restored = is_restored
        """Series about the alerts are written only then: the old ones must still be read."""
        self.transitions: list[Transition] = []
        """Since they were last taken."""
        self._external_labels = external_labels
        self._external_url = external_url
        self._labels = {name: Template(text) for name, text in rule.labels}
        self._annotations = {name: Template(text) for name, text in rule.annotations}

    def evaluate(self, ask: Ask, now: int, query_offset_ms: int, limit: int) -> list[tuple[Labels, float]]:
        """The series ALERTS and ALERTS_FOR_STATE at this moment. Raises QueryError or RuleError; the alerts stay as they were then."""
        found = self._found(ask(self.rule.expression, now - query_offset_ms), ask, now)
        for labels, alert in found.items():
            known = self.alerts.get(labels)
            if known is not None and known.state is not State.INACTIVE:
                known.value, known.annotations = alert.value, alert.annotations
            else:
                self.alerts[labels] = alert
                self._note(alert, State.INACTIVE, now)
        written = []
        active = 0
        for labels, alert in list(self.alerts.items()):
            if labels in found:
                alert.keep_firing_since = None
            elif not self._outlives_its_series(alert, now):
                continue
            active += 1
            self._advance(alert, now)
            if self.is_restored:
                written += [(self._alerts_labels(alert), 1.0), (self._state_labels(alert), float(alert.active_at // 1000))]
        if 0 < limit < active:
            self.alerts.clear()
            raise RuleError(f"exceeded limit of {limit} with {active} alerts")
        return written

    @property
    def state(self) -> State:
        """What the worst of its alerts does."""
        states = {alert.state for alert in list(self.alerts.values())}  # a copy, as the API asks while rules are evaluated
        return next((state for state in (State.FIRING, State.PENDING) if state in states), State.INACTIVE)

    def active(self) -> list[Alert]:
        """The alerts that wait or fire."""
        return [alert for alert in list(self.alerts.values()) if alert.resolved_at is None]

    def to_send(self, now: int, resend_ms: int, interval_ms: int) -> list[Alert]:
        """The alerts that Alertmanager must hear of now; they count as sent."""
        chosen = [alert for alert in self.alerts.values() if alert.needs_sending(now, resend_ms)]
        for alert in chosen:
            alert.last_sent_at = now
            # Two evaluations or sendings may fail before Alertmanager takes it for resolved.
            alert.valid_until = now + 4 * max(interval_ms, resend_ms)
        return chosen

    def take_transitions(self) -> list[Transition]:
        """What changed since this was last asked."""
        taken, self.transitions = self.transitions, []
        return taken

    def _found(self, vector: Vector, ask: Ask, now: int) -> dict[Labels, Alert]:
        found: dict[Labels, Alert] = {}

        def query(expression: str) -> list[Sample]:
            try:
                return [Sample(dict(labels), value) for labels, value in ask(expression, now)]
            except (QueryError, RuleError) as error:
                raise TemplateError(str(error)) from error

        for series, value in vector:
            data = TemplateData(dict(series), value, now, query, self._external_labels, self._external_url)
            expanded = {name: _expanded(template, data) for name, template in self._labels.items()}
            labels = Labels.of({**dict(series.drop((METRIC_NAME,))), **expanded, "alertname": self.rule.name})
            if labels in found:
                raise RuleError("vector contains metrics with the same labelset after applying alert labels")
            annotations = Labels.of({name: _expanded(template, data) for name, template in self._annotations.items()})
            found[labels] = Alert(labels, annotations, value, active_at=now)
        return found

    def _outlives_its_series(self, alert: Alert, now: int) -> bool:
        """Whether an alert whose series is gone goes on firing. One that does not is resolved, and in the end forgotten."""
        if alert.state is State.FIRING and self.rule.keep_firing_ms:
            if alert.keep_firing_since is None:
                alert.keep_firing_since = now
            if now - alert.keep_firing_since < self.rule.keep_firing_ms:
                return True
        is_old = alert.resolved_at is not None and now - alert.resolved_at > _KEPT_RESOLVED_MS
        if alert.state is State.PENDING or is_old:
            del self.alerts[alert.labels]
        if alert.state is not State.INACTIVE:
            before, alert.state, alert.resolved_at = alert.state, State.INACTIVE, now
            self._note(alert, before, now)
        return False

    def _advance(self, alert: Alert, now: int) -> None:
        has_held = now - alert.active_at >= self.rule.hold_ms
        before = alert.state
        if alert.state is State.PENDING and has_held:
            alert.state, alert.fired_at = State.FIRING, now
        elif alert.state is State.FIRING and not has_held:
            # The rule was loaded anew, and now waits longer.
            alert.state, alert.fired_at, alert.last_sent_at, alert.keep_firing_since = State.PENDING, None, None, None
        if alert.state is not before:
            self._note(alert, before, now)

    def _note(self, alert: Alert, before: State, now: int) -> None:
        self.transitions.append(Transition(now, self.rule.name, alert.labels, before, alert.state, alert.value))

    def _alerts_labels(self, alert: Alert) -> Labels:
        own = {METRIC_NAME: ALERTS, "alertname": self.rule.name, "alertstate": alert.state.value}
        return Labels.of({**dict(self.rule.labels), **dict(alert.labels), **own})

    def _state_labels(self, alert: Alert) -> Labels:
        own = {METRIC_NAME: FOR_STATE, "alertname": self.rule.name}
        return Labels.of({**dict(self.rule.labels), **dict(alert.labels), **own})


def _expanded(template: Template, data: TemplateData) -> str:
    try:
        return template.expand(data)
    except TemplateError as error:
        # The alert is worth more than its text.
        return f"<error expanding template: {error}>"


def firing(alerts: Iterable[Alert]) -> list[Alert]:
    """Those that fire."""
    return [alert for alert in alerts if alert.state is State.FIRING]
