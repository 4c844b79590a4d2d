"""Whether work that somebody else began goes on in their trace: the one rule of tasks, messages and events."""

from __future__ import annotations

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Link


def join(carried: Context, age: float, link_after: float) -> tuple[Context, tuple[Link, ...]]:
    """The context in which the work goes on: ``carried``, as a row or a message brought it.

    Where that was given away more than ``link_after`` seconds ago, a trace of its own begins, with a link to the old one: by now nobody
    looks at that, and a backend that samples by a trace's end has decided. Baggage still holds.
    """
    sender = trace.get_current_span(carried).get_span_context()
    if age <= link_after or not sender.is_valid:
        return carried, ()
    return trace.set_span_in_context(INVALID_SPAN, carried), (Link(sender),)
