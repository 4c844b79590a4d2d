"""What sagas are made of, and where they are found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from otelkit.errors import OtelkitError

if TYPE_CHECKING:
    from otelkit.patterns.saga.defining import Saga

MODULE = "sagas"
"""Module of each installed app that is imported to find its sagas."""


class SagaError(OtelkitError):
    """A saga that is defined or driven in a way that cannot work."""


class Wait(Enum):
    """The answer of a step that has asked somebody, and is done when that one answers (:meth:`Saga.resume`)."""

    WAIT = "wait"


WAIT = Wait.WAIT

Action = Callable[[dict[str, Any]], Wait | None]
"""Gets the saga's data, may change it, and raises where it fails. It may be called again with the same data: make it idempotent."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step. ``undo`` takes back what ``do`` has done in other services; what it wrote to this database is rolled back when it fails."""

    name: str
    do: Action
    undo: Action | None = None
    attempts: int = 1
    """Times that ``do`` is tried before the saga turns back."""


known: dict[str, Saga] = {}
"""Every saga that is defined, by its name."""


def sagas() -> dict[str, Saga]:
    """Every saga of the project by its name."""
    from django.utils.module_loading import autodiscover_modules

    autodiscover_modules(MODULE)
    return dict(known)
