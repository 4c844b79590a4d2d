"""How a saga goes on: one step and the row that says so in one transaction, forward, and backward where a step failed.

Whoever has locked the row has the saga. A process that dies leaves the row as it was before its step, and the sweeper takes it up.
"""

from __future__ import annotations

import logging
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, connections, router, transaction
from django.db.models import F, Q
from django.utils import timezone

from otelkit.patterns.carrying import Carried, current_trace
from otelkit.patterns.jitter import full_jitter
from otelkit.patterns.saga import telemetry
from otelkit.patterns.saga.models import LONGEST_ERROR, SagaRun, State
from otelkit.patterns.saga.parts import WAIT, Action, sagas
from otelkit.patterns.wording import error_text

if TYPE_CHECKING:
    from otelkit.patterns.saga.defining import Saga

logger = logging.getLogger("otelkit.saga")

GRACE = 30.0
"""Seconds after which the sweeper takes a saga for abandoned whose process does not go on with it."""
RETRY_BASE, RETRY_CAP = 1.0, 300.0
"""Seconds of the first pause after a failure, and of the longest."""


class _StepError(Exception):
    """Carries what a step raised out of the transaction that its failure rolls back."""

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
                due_at=now + timedelta(seconds=GRACE),
                deadline=now + timedelta(seconds=saga.timeout),
                traceparent=carries.traceparent,
                tracestate=carries.tracestate,
            )
    except IntegrityError:
        return SagaRun.objects.using(using).get(saga=saga.name, key=key)
    transaction.on_commit(lambda: telemetry.started(saga.name), using=using)
    transaction.on_commit(lambda: _go_on(run.id, using), using=using)
    return run


def resume(saga: Saga, key: str, data: dict[str, Any], step: str, using: str | None) -> bool:
    """See :meth:`Saga.resume`."""
    using = using or router.db_for_write(SagaRun)
    with transaction.atomic(using):
        run = _waiting(saga, key, step, using)
        if run is None:
            return False
        run.data.update(data)
        run.state = State.RUNNING
        _done(run, saga)
        _remember_trace(run)
        run.save(using=using)
    transaction.on_commit(lambda: _go_on(run.id, using), using=using)
    return True


def turn_back(saga: Saga, key: str, why: str, step: str, using: str | None) -> bool:
    """See :meth:`Saga.turn_back`."""
    using = using or router.db_for_write(SagaRun)
    with transaction.atomic(using):
        run = _waiting(saga, key, step, using)
        if run is None:
            return False
        _remember_trace(run)
        _turn(run, why)
        run.save(using=using)
    transaction.on_commit(lambda: _go_on(run.id, using), using=using)
    return True


def sweep(using: str, at_most: int = 100) -> int:
    """Turns back what is past its deadline, and goes on with what is due or was abandoned; gives how many.

    Raises what the database raises.
    """
    now = timezone.now()
    moving, late = (
        Q(state__in=(State.RUNNING, State.COMPENSATING), due_at__lte=now),
        Q(state__in=(State.RUNNING, State.WAITING), deadline__lte=now),
    )
    found = list(SagaRun.objects.using(using).filter(moving | late).order_by("due_at").values_list("id", flat=True)[:at_most])
    for number in found:
        with transaction.atomic(using):
            run = _mine(number, using)
            if run is not None and run.state in (State.RUNNING, State.WAITING) and run.deadline <= now:
                _turn(run, f"timed out at {run.step}")
                run.save(using=using)
        advance(number, using)
    return len(found)


def retry(using: str, keys: list[str] | None) -> int:
    """Lets the sweeper try failed compensations again, of these keys or of all; gives how many."""
    failed = SagaRun.objects.using(using).filter(state=State.FAILED)
    chosen = failed if keys is None else failed.filter(key__in=keys)
    return chosen.update(state=State.COMPENSATING, attempts=0, due_at=timezone.now(), finished_at=None)


def advance(number: int, using: str) -> None:
    """Goes on with this saga as far as it goes. Raises what the database raises, and nothing of the steps."""
    while _one(number, using):
        pass


def _go_on(number: int, using: str) -> None:
    """After the commit of somebody who has done what he wanted, and must not hear of our trouble."""
    try:
        advance(number, using)
    except Exception:
        logger.exception("A saga could not go on; the sweeper will take it up.")


def _one(number: int, using: str) -> bool:
    """One step, forward or backward; whether there is another one to take now."""
    try:
        with transaction.atomic(using):
            run = _mine(number, using)
            if run is None or run.state not in (State.RUNNING, State.COMPENSATING):
                return False
            saga = sagas().get(run.saga)
            if saga is None:
                logger.error("No app has a saga %s, of which there is one under way: %s.", run.saga, run.key)
                run.due_at = timezone.now() + timedelta(seconds=RETRY_CAP)
                run.save(using=using)
                return False
            goes_on = _forward(run, saga) if run.state == State.RUNNING else _backward(run, saga)
            run.due_at = timezone.now() + timedelta(seconds=GRACE)
            run.save(using=using)
            return goes_on
    except _StepError as failure:
        return _failed(number, using, failure)


def _forward(run: SagaRun, saga: Saga) -> bool:
    step = saga.find(run.step)
    if step is None:
        _turn(run, f"it is at the step {run.step!r}, which the saga has no more")
        return True
    answer = _act(run, step.name, step.do, "ok")
    run.done.append(step.name)
    if answer is WAIT:
        run.state = State.WAITING
        return False
    _done(run, saga)
    return bool(run.step)


def _done(run: SagaRun, saga: Saga) -> None:
    """The current step is done: on to the next, or to the end."""
    run.attempts, run.step = 0, saga.after(run.step)
    if not run.step:
        _end(run, State.OK)


def _backward(run: SagaRun, saga: Saga) -> bool:
    if not run.done:
        _end(run, State.COMPENSATED)
        return False
    run.step = run.done[-1]
    step = saga.find(run.step)
    if step is not None and step.undo is not None:
        _act(run, step.name, step.undo, "compensated")
    run.done.pop()
    run.attempts = 0
    return True


def _act(run: SagaRun, step: str, action: Action, outcome: str) -> Any:
    age = (timezone.now() - run.started_at).total_seconds()
    try:
        with telemetry.step(run.saga, step, outcome, carried=Carried(run.traceparent, run.tracestate), age=age):
            return action(run.data)
    except Exception as error:
        raise _StepError(step, error) from error


def _failed(number: int, using: str, failure: _StepError) -> bool:
    with transaction.atomic(using):
        run = _mine(number, using)
        if run is None or run.state not in (State.RUNNING, State.COMPENSATING):
            return False
        run.attempts += 1
        run.error = f"{failure.step}: {error_text(failure.error, LONGEST_ERROR)}"[:LONGEST_ERROR]
        saga = sagas()[run.saga]
        step = saga.find(failure.step)
        is_forward = run.state == State.RUNNING
        most = (step.attempts if step else 1) if is_forward else saga.undo_attempts
        about = {"event.name": "saga.step.failed", "saga": run.saga, "saga.key": run.key}
        pause = full_jitter(run.attempts, RETRY_BASE, RETRY_CAP)
        run.due_at = timezone.now() + timedelta(seconds=pause)
        if run.attempts < most:
            logger.warning("%s fails, and is tried again in %.1f s: %s", run, pause, run.error, exc_info=failure.error, extra=about)
        elif is_forward:
            _turn(run, run.error)
            logger.warning("%s turns back: %s", run, run.error, exc_info=failure.error, extra=about)
        else:
            _end(run, State.FAILED)
            about["event.name"] = "saga.failed"
            logger.error(
                "%s: a compensation failed for good, so somebody has to look: %s", run, run.error, exc_info=failure.error, extra=about
            )
        run.save(using=using)
        return run.state == State.COMPENSATING and run.attempts == 0


def _turn(run: SagaRun, why: str) -> None:
    run.state, run.attempts, run.error = State.COMPENSATING, 0, why[:LONGEST_ERROR]


def _end(run: SagaRun, state: State) -> None:
    run.state, run.finished_at = state, timezone.now()
    saga, using = run.saga, run._state.db
    transaction.on_commit(lambda: telemetry.completed(saga, str(state.value)), using=using)


def _remember_trace(run: SagaRun) -> None:
    """Whoever answers goes on in the same trace, and is the parent of what follows."""
    answering, origin = current_trace(), Carried(run.traceparent, run.tracestate).span
    if answering.span is not None and origin is not None and answering.span.trace_id == origin.trace_id:
        run.traceparent, run.tracestate = answering


def _waiting(saga: Saga, key: str, step: str, using: str) -> SagaRun | None:
    """The saga, locked, if it waits (for the answer to ``step``). Waits for a step that is just being taken."""
    runs = SagaRun.objects.using(using).filter(saga=saga.name, key=key)
    runs.update(state=F("state"))  # locks the row wherever rows can be locked, and makes a writer of us elsewhere
    run = runs.first()
    return run if run is not None and run.state == State.WAITING and step in ("", run.step) else None


def _mine(number: int, using: str) -> SagaRun | None:
    """The saga, locked; None where somebody else is at it."""
    runs = SagaRun.objects.using(using).filter(id=number)
    if connections[using].features.has_select_for_update_skip_locked:
        return runs.select_for_update(skip_locked=True).first()
    runs.update(state=F("state"))
    return runs.first()
