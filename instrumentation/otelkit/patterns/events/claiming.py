"""Which events a relay may send now: those of aggregates that no other relay is at, each from its first pending event on.

The first pending event of an aggregate stands for the whole: who has it has the aggregate, because the ones behind it are nobody's first.
Where the database can skip locked rows, having it is a lock that ends with the transaction, and so with the process. Elsewhere (SQLite)
it is a lease, written into the row, which the next relay has to wait out.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import connections, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from otelkit.patterns.events.models import OutboxEvent, OutboxState
from otelkit.patterns.leasing import free


@contextmanager
def claimed(using: str, batch: int, lease: float) -> Iterator[list[OutboxEvent]]:
    """At most ``batch`` events in the order in which they are to be sent, this relay's own inside of the block.

    What is to hold of them must be saved inside of the block. Raises what the database raises.
    """
    if connections[using].features.has_select_for_update_skip_locked:
        with transaction.atomic(using):
            firsts = list(_firsts(using).select_for_update(skip_locked=True, of=_only(using))[:batch])
            yield _with_followers(using, firsts, batch)
    else:
        owner = uuid.uuid4().hex
        unclaimed = free()
        # The numbers first and the condition again: on SQLite the writer is alone, elsewhere the database may not order an UPDATE.
        numbers = list(_firsts(using).filter(unclaimed).values_list("id", flat=True)[:batch])
        mine = OutboxEvent.objects.using(using).filter(id__in=numbers, state=OutboxState.PENDING).filter(unclaimed)
        mine.update(leased_until=timezone.now() + timedelta(seconds=lease), leased_by=owner)
        firsts = list(OutboxEvent.objects.using(using).filter(leased_by=owner, state=OutboxState.PENDING).order_by("id"))
        yield _with_followers(using, firsts, batch)


def _firsts(using: str) -> QuerySet[OutboxEvent]:
    """The first pending event of each aggregate, where it is due; an event without an aggregate is its own first."""
    pending = OutboxEvent.objects.using(using).filter(state=OutboxState.PENDING)
    before = pending.filter(aggregate=OuterRef("aggregate"), id__lt=OuterRef("id"))
    return pending.filter(Q(aggregate="") | ~Exists(before), due_at__lte=timezone.now()).order_by("id")


def _only(using: str) -> tuple[str, ...]:
    return ("self",) if connections[using].features.has_select_for_update_of else ()


def _with_followers(using: str, firsts: list[OutboxEvent], batch: int) -> list[OutboxEvent]:
    """The first events and what stands behind them, as far as the batch reaches. Read after the claim, so nothing is sent already."""
    room = batch - len(firsts)
    aggregates = [event.aggregate for event in firsts if event.aggregate]
    if room <= 0 or not aggregates:
        return firsts
    behind = OutboxEvent.objects.using(using).filter(state=OutboxState.PENDING, aggregate__in=aggregates)
    followers = behind.exclude(id__in=[event.id for event in firsts]).order_by("id")[:room]
    return sorted([*firsts, *followers], key=lambda event: event.id)
