"""How a saga goes on: claimed, one step, what came of it written down; forward, and backward where a step failed.

A step runs outside of any transaction, so it may take its time without holding a lock. A process that dies leaves a lease that runs out,
and the sweeper takes the step again.
"""

from __future__ import annotations

import logging
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, router, transaction
from django.db.models import Q
from django.utils import timezone

from otelkit.patterns.carrying import Carried, current_trace
from otelkit.patterns.jitter import full_jitter
from otelkit.patterns.leasing import free
from otelkit.patterns.saga import telemetry
from otelkit.patterns.saga.changing import done, end, turn, wait
from otelkit.patterns.saga.claiming import claim, record, record_unread
from otelkit.patterns.saga.models import LONGEST_ERROR, SagaRun, State
from otelkit.patterns.saga.parts import LEASE, WAIT, Action, sagas
from otelkit.patterns.wording import error_text

if TYPE_CHECKING:
    from otelkit.patterns.saga.defining import Saga

logger = logging.getLogger("otelkit.saga")

RETRY_BASE, RETRY_CAP = 1.0, 300.0
"""Seconds of the first pause after a failure, and of the longest."""


class _StepError(Exception):
    """Tells what a step raised from what the database does; carries it out of the transaction that its failure rolls back."""

    def __init__(self, step: str, error: Exception) -> None:
        super().__init__(type(error).__qualname__)  # not its words: they may raise
        self.step = step
        self.error = error


def start(saga: Saga, data: dict[str, Any], key: str, using: str | None) -> SagaRun:
    """See :meth:`Saga.start`."""
    using = using or router.db_for_write(SagaRun)
    key = key or uuid.uuid4().hex
    now = timezone.now()
    carries = current_trace()
    try:
        with transaction.atomic(using):
            run = SagaRun.objects.using(using).create(
                saga=saga.name,
                key=key,
                step=saga.steps[0].name,
                data=data,
                due_at=now + timedelta(seconds=LEASE),  # by then whoever commits this has gone on with it, or is dead
                deadline=now + timedelta(seconds=saga.timeout),
                traceparent=carries.traceparent,
                tracestate=carries.tracestate,
            )
    except IntegrityError:
        return SagaRun.objects.using(using).get(saga=saga.name, key=key)
    transaction.on_commit(lambda: telemetry.started(saga.name), using=using)
    transaction.on_commit(lambda: go_on(run.id, using), using=using)
    return run


def sweep(using: str, at_most: int = 100) -> int:
    """Turns back what is past its deadline, and goes on with what is due or was abandoned; gives how many.

    Raises what the database raises.
    """
    now = timezone.now()
    moving, late = (
        Q(state__in=(State.RUNNING, State.COMPENSATING), due_at__lte=now),
        Q(state__in=(State.RUNNING, State.WAITING), deadline__lte=now),
    )
    found = SagaRun.objects.using(using).filter(moving | late).filter(free()).order_by("due_at")
    numbers = list(found.values_list("id", flat=True)[:at_most])
    for number in numbers:
        _go(claim(number, using, is_late=lambda run: run.deadline <= now), using)
    return len(numbers)


def retry(using: str, keys: list[str] | None) -> int:
    """Lets the sweeper try failed compensations again, of these keys or of all; gives how many."""
    failed = SagaRun.objects.using(using).filter(state=State.FAILED)
    chosen = failed if keys is None else failed.filter(key__in=keys)
    return chosen.update(state=State.COMPENSATING, attempts=0, due_at=timezone.now(), finished_at=None)


def advance(number: int, using: str) -> None:
    """Goes on with this saga as far as it goes, unless somebody does. Raises what the database raises, and nothing of the steps."""
    _go(claim(number, using), using)


def go_on(number: int, using: str) -> None:
    """After the commit of somebody who has done what he wanted, and must not hear of our trouble."""
    try:
        advance(number, using)
    except Exception:
        logger.exception("A saga could not go on; the sweeper will take it up.")


def _go(run: SagaRun | None, using: str) -> None:
    while run is not None:
        run = _one(run, using)


def _one(run: SagaRun, using: str) -> SagaRun | None:
    """One step, forward or backward; the saga, while there is another one to take now."""
    saga = sagas().get(run.saga)
    if saga is None:
        logger.error("No app has a saga %s, of which there is one under way: %s.", run.saga, run.key)
        return record(run, using, _postpone)
    is_forward = run.state == State.RUNNING
    name = run.step if is_forward else next(reversed(run.done), "")
    step = saga.find(name)
    action = None if step is None else step.do if is_forward else step.undo
    try:
        if step is None or action is None:
            return record(run, using, lambda mine: _took(mine, saga, name, None))
        if step.in_transaction:
            return record(run, using, lambda mine: _took(mine, saga, name, _act(mine, name, action)))
        answer = _act(run, name, action)
    except _StepError as failure:
        # A name of its own: Python forgets that of the clause at its end.
        failed = failure
        return record(run, using, lambda mine: _failed(mine, saga, failed))
    return record_unread(run, using, lambda mine: _took(mine, saga, name, answer, run.data))


def _act(run: SagaRun, step: str, action: Action) -> Any:
    age = (timezone.now() - run.started_at).total_seconds()
    outcome = "ok" if run.state == State.RUNNING else "compensated"
    try:
        with telemetry.step(run.saga, step, outcome, carried=Carried(run.traceparent, run.tracestate), age=age):
            return action(run.data)
    except Exception as error:
        raise _StepError(step, error) from error


def _took(run: SagaRun, saga: Saga, step: str, answer: Any, data: dict[str, Any] | None = None) -> bool:
    """What a step that did not fail changes. ``data`` as the step left it, where it had not this row's."""
    if data is not None:
        run.data = data
    if run.state == State.RUNNING:
        return _forward(run, saga, answer)
    if not run.done:
        end(run, State.COMPENSATED)
        return False
    run.step, run.attempts = step, 0
    run.done.pop()
    return True


def _forward(run: SagaRun, saga: Saga, answer: Any) -> bool:
    if saga.find(run.step) is None:
        turn(run, f"it is at the step {run.step!r}, which the saga has no more")
        return True
    run.done.append(run.step)
    return wait(run, saga) if answer is WAIT else done(run, saga)


def _failed(run: SagaRun, saga: Saga, failure: _StepError) -> bool:
    run.attempts += 1
    run.error = f"{failure.step}: {error_text(failure.error, LONGEST_ERROR)}"[:LONGEST_ERROR]
    step = saga.find(failure.step)
    is_forward = run.state == State.RUNNING
    most = (step.attempts if step else 1) if is_forward else saga.undo_attempts
    about = {"event.name": "saga.step.failed", "saga": run.saga, "saga.key": run.key}
    pause = full_jitter(run.attempts, RETRY_BASE, RETRY_CAP)
    run.due_at = timezone.now() + timedelta(seconds=pause)
    if run.attempts < most:
        logger.warning("%s fails, and is tried again in %.1f s: %s", run, pause, run.error, exc_info=failure.error, extra=about)
        return False
    if is_forward:
        turn(run, run.error)
        logger.warning("%s turns back: %s", run, run.error, exc_info=failure.error, extra=about)
        return True
    end(run, State.FAILED)
    about["event.name"] = "saga.failed"
    logger.error("%s: a compensation failed for good, so somebody has to look: %s", run, run.error, exc_info=failure.error, extra=about)
    return False


def _postpone(run: SagaRun) -> bool:
    run.due_at = timezone.now() + timedelta(seconds=RETRY_CAP)
    return False
