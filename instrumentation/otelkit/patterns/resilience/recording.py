"""What any implementation of these patterns calls, its own or ours: metrics, an event on the current span, a line where a state changes.

Nothing here raises, and while the kit is off only the lines are written.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from threading import Lock

from opentelemetry import trace

from otelkit.catalog.labels import CIRCUIT_BREAKER_STATE, SERVER_ADDRESS
from otelkit.catalog.metrics import (
    CIRCUIT_BREAKER_REJECTED,
    CIRCUIT_BREAKER_STATES,
    CIRCUIT_BREAKER_TRANSITIONS,
    DEGRADED_RESPONSES,
    HTTP_CLIENT_RETRIES,
    LOAD_SHED,
    RETRY_BUDGET_EXHAUSTED,
)
from otelkit.metrics import business
from otelkit.metrics.aggregator import LabelValues
from otelkit.metrics.label_values import LabelReader

logger = logging.getLogger("otelkit.resilience")

CLOSED, OPEN, HALF_OPEN = CIRCUIT_BREAKER_STATE.values
MOST_BREAKERS = 500
"""Breakers whose state is reported; who makes one for each customer gets the first of them, and a count of transitions for all."""

_transitions = business.recorder(business.BusinessCounter, CIRCUIT_BREAKER_TRANSITIONS)
_rejected = business.recorder(business.BusinessCounter, CIRCUIT_BREAKER_REJECTED)
_retries = business.recorder(business.BusinessCounter, HTTP_CLIENT_RETRIES)
_exhausted = business.recorder(business.BusinessCounter, RETRY_BUDGET_EXHAUSTED)
_degraded = business.recorder(business.BusinessCounter, DEGRADED_RESPONSES)
_shed = business.recorder(business.BusinessCounter, LOAD_SHED)


def breaker_changed(name: str, to: str, why: str = "") -> None:
    """A circuit breaker went to ``closed``, ``open`` or ``half_open``. ``why`` is the class of the error that opened it."""
    _transitions.add(1, name=name, to=to)
    note("circuit_breaker.transition", name=name, to=to)
    said = f" ({why})" if why else ""
    logger.log(logging.WARNING if to == OPEN else logging.INFO, 'Circuit breaker "%s" is %s now%s.', name, to.replace("_", "-"), said)


def breaker_rejected(name: str) -> None:
    """An open circuit breaker did not let a call through."""
    _rejected.add(1, name=name)
    note("circuit_breaker.rejected", name=name)


def retried(server_address: str, *, ok: bool) -> None:
    """A further attempt of a call ended."""
    _retries.add(1, **{SERVER_ADDRESS.name: server_address, "outcome": "ok" if ok else "error"})


def budget_exhausted(server_address: str) -> None:
    """A call was not tried again, because too many others were."""
    _exhausted.add(1, **{SERVER_ADDRESS.name: server_address})
    note("retry_budget.exhausted")


def degraded(feature: str, reason: str) -> None:
    """An answer does without ``feature``, because of ``reason``: words of the code, each one of a few."""
    _degraded.add(1, feature=feature, reason=reason)
    note("degraded", feature=feature, reason=reason)


def shed(reason: str) -> None:
    """A request was turned away to save the others."""
    _shed.add(1, reason=reason)
    note("load.shed", reason=reason)


def note(event: str, **attributes: str | float) -> None:
    """An event on the current span, if there is one."""
    with suppress(Exception):  # the span may be the project's own
        trace.get_current_span().add_event(event, dict(attributes))


_states: dict[str, Callable[[], str]] = {}
_registering = Lock()
_labels = LabelReader(CIRCUIT_BREAKER_STATES, lambda _kind, _message: None)


def observe_breaker(name: str, state: Callable[[], str]) -> Callable[[], None]:
    """Asks ``state`` for ``closed``, ``open`` or ``half_open`` whenever metrics are collected. What comes back ends it.

    The newest of one name is asked.
    """
    with _registering:
        if name in _states or len(_states) < MOST_BREAKERS:
            _states[name] = state

    def end() -> None:
        with _registering:
            if _states.get(name) is state:
                del _states[name]

    return end


def _observe_states() -> Iterable[tuple[LabelValues, float]]:
    with _registering:
        asked = list(_states.items())
    found: dict[LabelValues, float] = {}
    for name, ask in asked:
        try:
            now = ask()
        except Exception:  # noqa: BLE001, S112  (somebody else's breaker, whose storage may be away)
            continue
        for state in CIRCUIT_BREAKER_STATE.values:
            found[_labels.read({"name": name, "state": state})] = 1 if state == now else 0
    return found.items()


business.observed(CIRCUIT_BREAKER_STATES, _observe_states)
