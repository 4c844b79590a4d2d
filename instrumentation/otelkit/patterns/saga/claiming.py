"""Who goes on with a saga: a lease in its row, taken and given back in short transactions, so that nothing is locked while a step runs.

A process that dies keeps its lease until it runs out; then the sweeper takes the saga, and the step again. What a process says that comes
back so late that its saga is somebody else's is not written down.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from copy import copy
from datetime import timedelta

from django.db import connections, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from otelkit.patterns.leasing import free
from otelkit.patterns.saga.changing import saved, turn
from otelkit.patterns.saga.models import ACTIVE, SagaRun, State
from otelkit.patterns.saga.parts import LEASE, sagas

logger = logging.getLogger("otelkit.saga")


def claim(number: int, using: str, *, is_late: Callable[[SagaRun], bool] = lambda _: False) -> SagaRun | None:
    """The saga, the caller's own for as long as its lease lasts; None where somebody else has it, or where it does not go on by itself.

    One that ``is_late`` is turned back first. Raises what the database raises.
    """
    with transaction.atomic(using):
        run = locked(SagaRun.objects.using(using).filter(free(), id=number, state__in=ACTIVE), skip=True)
        if run is None:
            return None
        if run.state != State.COMPENSATING and is_late(run):
            turn(run, f"timed out at {run.step}")
        if run.state == State.WAITING:
            return None
        run.leased_by = uuid.uuid4()
        _prolong(run)
        run.save(using=using)
    return run


def record(run: SagaRun, using: str, change: Callable[[SagaRun], bool]) -> SagaRun | None:
    """Changes the row of a saga that the caller has claimed, if it is the caller's still, and gives it while it goes on.

    ``change`` is given the row, locked, and says whether there is another step to take now. Raises what it and the database raise.
    """
    with transaction.atomic(using):
        mine = locked(SagaRun.objects.using(using).filter(id=run.id, leased_by=run.leased_by))
        if mine is None:
            logger.warning(
                "%s took longer at %s than its lease, and somebody else goes on with it: what came of it here is not recorded.",
                run,
                run.step,
            )
            return None
        goes_on = _changed(mine, change)
        mine.save(using=using)
        saved(mine, using)
    return mine if goes_on else None


def record_unread(run: SagaRun, using: str, change: Callable[[SagaRun], bool]) -> SagaRun | None:
    """What :func:`record` does, in one statement where the row is as the caller knows it, for nothing but an answer may come to a row that
    is claimed. ``change`` is called once more where one has come, or where the saga is somebody else's: it must not matter.

    No transaction is begun for it, so that of many sagas on one SQLite each has the database's lock for no longer than that takes.
    """
    if run.answer is None:
        mine = copy(run)
        mine.done = [*run.done]
        goes_on = _changed(mine, change)
        values = {field.attname: getattr(mine, field.attname) for field in SagaRun._meta.concrete_fields if not field.primary_key}
        if SagaRun.objects.using(using).filter(id=run.id, leased_by=run.leased_by, answer__isnull=True).update(**values):
            saved(mine, using)
            return mine if goes_on else None
    return record(run, using, change)


def locked(found: QuerySet[SagaRun], *, skip: bool = False) -> SagaRun | None:
    """The saga of this query until the transaction ends; None where there is none, or, with ``skip``, where it is locked."""
    features = connections[found.db].features
    if features.has_select_for_update and (features.has_select_for_update_skip_locked or not skip):
        return found.select_for_update(skip_locked=skip).first()
    found.update(state=F("state"))  # makes a writer of us, who is alone
    return found.first()


def _changed(run: SagaRun, change: Callable[[SagaRun], bool]) -> bool:
    """Changes it, and its lease; says whether there is another step to take now."""
    goes_on = change(run)
    if goes_on:
        _prolong(run)
    else:
        run.leased_by = run.leased_until = None
    return goes_on


def _prolong(run: SagaRun) -> None:
    saga = sagas().get(run.saga)
    run.leased_until = run.due_at = timezone.now() + timedelta(seconds=LEASE if saga is None else saga.lease)
