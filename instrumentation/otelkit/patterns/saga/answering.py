"""Answers from outside, to steps that wait for one: also those that come before the step that asked has returned."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.db import router, transaction

from otelkit.patterns.carrying import Carried, current_trace
from otelkit.patterns.saga.changing import done, saved, turn
from otelkit.patterns.saga.claiming import locked
from otelkit.patterns.saga.models import SagaRun, State
from otelkit.patterns.saga.orchestrating import go_on

if TYPE_CHECKING:
    from otelkit.patterns.saga.defining import Saga


def resume(saga: Saga, key: str, data: dict[str, Any], step: str, using: str | None) -> bool:
    """See :meth:`Saga.resume`."""

    def take(run: SagaRun) -> None:
        run.data.update(data)
        run.state = State.RUNNING
        done(run, saga)

    return _answered(saga, key, step, using, {"data": data}, take)


def turn_back(saga: Saga, key: str, why: str, step: str, using: str | None) -> bool:
    """See :meth:`Saga.turn_back`."""
    return _answered(saga, key, step, using, {"why": why}, lambda run: turn(run, why))


def _answered(saga: Saga, key: str, step: str, using: str | None, answer: dict[str, Any], take: Callable[[SagaRun], None]) -> bool:
    using = using or router.db_for_write(SagaRun)
    with transaction.atomic(using):
        run = locked(SagaRun.objects.using(using).filter(saga=saga.name, key=key))
        if run is None or step not in ("", run.step):
            return False
        if run.state == State.WAITING:
            take(run)
            transaction.on_commit(lambda: go_on(run.id, using), using=using)
        elif run.state == State.RUNNING and run.answer is None:
            run.answer = answer  # whoever is at the step takes it, where the step waits for one
        else:
            return False
        _remember_trace(run)
        run.save(using=using)
        saved(run, using)
    return True


def _remember_trace(run: SagaRun) -> None:
    """Whoever answers goes on in the same trace, and is the parent of what follows."""
    answering, origin = current_trace(), Carried(run.traceparent, run.tracestate).span
    if answering.span is not None and origin is not None and answering.span.trace_id == origin.trace_id:
        run.traceparent, run.tracestate = answering
