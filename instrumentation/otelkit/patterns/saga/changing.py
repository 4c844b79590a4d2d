"""How the row of a saga changes: a step is done, an answer is awaited, it turns back, it ends. The caller has it locked, and saves it."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from otelkit.patterns.saga import telemetry
from otelkit.patterns.saga.models import LONGEST_ERROR, SagaRun, State

if TYPE_CHECKING:
    from otelkit.patterns.saga.defining import Saga

logger = logging.getLogger("otelkit.saga")


def done(run: SagaRun, saga: Saga) -> bool:
    """The current step is done: on to the next, or to the end. Says whether there is a next one."""
    _forget_answer(run)
    run.attempts, run.step = 0, saga.after(run.step)
    if not run.step:
        end(run, State.OK)
    return bool(run.step)


def wait(run: SagaRun, saga: Saga) -> bool:
    """The current step has asked somebody. Says whether there is a step to take now, because the answer is there already."""
    if run.answer is None:
        run.state = State.WAITING
        return False
    answer, run.answer = run.answer, None
    if "why" in answer:
        turn(run, answer["why"])
        return True
    run.data.update(answer["data"])
    return done(run, saga)


def turn(run: SagaRun, why: str) -> None:
    """From here it goes back."""
    _forget_answer(run)
    run.state, run.attempts, run.error = State.COMPENSATING, 0, why[:LONGEST_ERROR]


def end(run: SagaRun, state: State) -> None:
    """It is over."""
    run.state, run.finished_at = state, timezone.now()


def saved(run: SagaRun, using: str) -> None:
    """The row is saved as it is now: an end is counted once that is committed."""
    if run.finished_at is not None:
        transaction.on_commit(partial(telemetry.completed, run.saga, str(run.state)), using=using)


def _forget_answer(run: SagaRun) -> None:
    if run.answer is not None:
        logger.warning("%s had an answer to %s, which does not wait for one: it is dropped.", str(run), run.step)
        run.answer = None
