"""What a task's message carries beside the task: the trace that sent it, and when that was.

Written into the headers of the message, which brokers pass on and libraries hand to the task.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from time import time
from typing import Any

from opentelemetry import propagate
from opentelemetry.context import Context
from opentelemetry.propagators.textmap import Getter
from opentelemetry.trace import Link

from otelkit.traces.joining import join

logger = logging.getLogger("otelkit.tasks")

SENT_AT = "otelkit_sent_at"
"""Header with the Unix time, in seconds, at which the message was given to the broker."""

NOBODY = Context()
"""What a message brings that has no trace."""

Read = Callable[[str], object]
"""Gives a header by its name, or None."""


@dataclass(frozen=True, slots=True)
class Carried:
    """What a message brought."""

    context: Context
    """What the sender's trace and baggage are; empty where it brought none."""
    sent_at: float | None = None
    """Unix time in seconds."""

    def parent(self, link_after: float) -> tuple[Context, tuple[Link, ...]]:
        """The context in which the work goes on; and a link to the sender instead, where it sent more than ``link_after`` seconds ago."""
        return join(self.context, time() - self.sent_at if self.sent_at is not None else 0.0, link_after)


def write(headers: MutableMapping[str, Any], context: Context | None = None) -> None:
    """Writes the trace of ``context``, the current one by default, and the time; what an earlier attempt wrote is replaced."""
    for name in propagate.get_global_textmap().fields:
        headers.pop(name, None)
    propagate.inject(headers, context)
    headers[SENT_AT] = f"{time():.6f}"  # a text: not every broker carries a float


def read(header: Read) -> Carried:
    """What the headers of a message say; whatever they hold, this does not raise."""
    try:
        context = propagate.extract(header, context=Context(), getter=_GETTER)
    except Exception as error:  # noqa: BLE001  (a propagator of the project's; its message may hold what was sent)
        logger.debug("The trace headers of a message could not be read (%s); a new trace begins.", type(error).__qualname__)
        context = Context()
    return Carried(context, _seconds(header(SENT_AT)))


def _seconds(value: object) -> float | None:
    try:
        seconds = float(value)  # type: ignore[arg-type]  # what it cannot read is no time
    except (TypeError, ValueError, OverflowError):
        return None
    return seconds if 0 < seconds < 1e11 else None


class _Getter(Getter[Read]):
    def get(self, carrier: Read, key: str) -> list[str] | None:
        value = carrier(key)
        return [value] if isinstance(value, str) else None

    def keys(self, carrier: Read) -> list[str]:  # noqa: ARG002  (OpenTelemetry's signature)
        return []


_GETTER = _Getter()
