"""Who takes which events: a decorator in the ``events`` module of an app, found as Django finds ``admin`` modules."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from inspect import isawaitable
from typing import TypeVar

from asgiref.sync import async_to_sync

from otelkit.errors import OtelkitError
from otelkit.patterns.events.cloudevent import CloudEvent

Handler = Callable[[CloudEvent], object]
_H = TypeVar("_H", bound=Handler)

MODULE = "events"
"""Module of each installed app that is imported to find its subscriptions."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """A handler for the events of one destination, under the name of its consumer."""

    consumer: str
    destination: str
    handler: Handler
    is_ordered: bool = True

    def handle(self, event: CloudEvent) -> None:
        """Has the handler work on it, to its end, in this thread. Raises what it raises.

        What a coroutine function asks the async ORM is asked in this thread as well, and so belongs to its transaction.
        """
        result = self.handler(event)
        if isawaitable(result):
            async_to_sync(_awaited)(result)

    @property
    def queue(self) -> str:
        """The queue at the broker; each consumer of a destination has its own."""
        return f"{self.destination}.{self.consumer}"


_known: dict[tuple[str, str], Subscription] = {}


def subscribe(destination: str, *, consumer: str, ordered: bool = True) -> Callable[[_H], _H]:
    """Decorates the function, plain or ``async``, that takes the events of a destination, each once by effect.

    It runs in a transaction with the mark that the event was taken: what it writes to that database is undone when it raises, and the event
    is tried again later. What it does elsewhere (a mail, a call) may happen twice. Unless ``ordered`` is off, events of one aggregate come
    one after the other. Two processes with one ``consumer`` share the events; two consumers each get all of them. Raises OtelkitError where
    another function has the name.
    """

    def keep(handler: _H) -> _H:
        made = Subscription(consumer, destination, handler, ordered)
        known = _known.get((consumer, destination))
        if known is not None and (known.handler.__module__, _name(known.handler)) != (handler.__module__, _name(handler)):
            raise OtelkitError(
                f'The consumer "{consumer}" of "{destination}" has a handler already: {known.handler.__module__}.{_name(known.handler)}. '
                f"Give {handler.__module__}.{_name(handler)} another consumer."
            )
        _known[consumer, destination] = made
        return handler

    return keep


def subscriptions(consumers: tuple[str, ...] = ()) -> list[Subscription]:
    """The subscriptions of these consumers, of all by default. Raises OtelkitError for a consumer that nobody has declared."""
    from django.utils.module_loading import autodiscover_modules

    autodiscover_modules(MODULE)
    names = {consumer for consumer, _ in _known}
    if unknown := [name for name in consumers if name not in names]:
        there_are = f"There are {', '.join(sorted(names))}." if names else f'No app has a module "{MODULE}" with @subscribe(...).'
        raise OtelkitError(f"{', '.join(unknown)} is no consumer of this project. {there_are}")
    return [found for (consumer, _), found in sorted(_known.items()) if not consumers or consumer in consumers]


async def _awaited(result: Awaitable[object]) -> None:
    await result


def _name(handler: Handler) -> str:
    return getattr(handler, "__qualname__", type(handler).__qualname__)
