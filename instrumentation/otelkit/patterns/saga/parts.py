"""What sagas are made of, and where they are found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any

from otelkit.errors import OtelkitError

if TYPE_CHECKING:
    from otelkit.patterns.saga.defining import Saga

MODULE = "sagas"
"""Module of each installed app that is imported to find its sagas."""

LEASE = 30.0
"""Seconds after which the sweeper takes a saga for abandoned whose process does not go on with it, unless the saga says otherwise."""


class SagaError(OtelkitError):
    """A saga that is defined or driven in a way that cannot work."""


class Wait(Enum):
    """The answer of a step that has asked somebody, and is done when that one answers (:meth:`Saga.resume`)."""

    WAIT = "wait"


WAIT = Wait.WAIT

Action = Callable[[dict[str, Any]], Wait | None]
"""Gets the saga's data, may change it, and raises where it fails. It is called again with the same data where its process died, or took
longer than its lease, before what came of it was written down: make it idempotent."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step. ``undo`` takes back what ``do`` has done. No transaction is open while they are called."""

    name: str
    do: Action
    undo: Action | None = None
    attempts: int = 1
    """Times that ``do`` is tried before the saga turns back."""
    in_transaction: bool = False
    """Whether ``do`` and ``undo`` are called in the transaction that says so in the saga's row: what they write to that database, or
    publish, is then done once, and rolled back where they fail. For steps that call nobody: the row is locked meanwhile."""


known: dict[str, Saga] = {}
"""Every saga that is defined, by its name."""


def sagas() -> dict[str, Saga]:
    """Every saga of the project by its name."""
    _discover()
    return dict(known)


@cache
def _discover() -> None:
    # Once: a saga looks itself up at every step. Where a module cannot be imported, the next one to ask hears of it again.
    from django.utils.module_loading import autodiscover_modules

    autodiscover_modules(MODULE)
