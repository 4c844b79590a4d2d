"""What a probe may ask: the service's own database, cache and migrations, and whatever the project can say of itself.

Not other services: a probe that fails with a neighbour takes down every service in front of it, one after the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from inspect import iscoroutine
from uuid import uuid4

from django.core.cache import DEFAULT_CACHE_ALIAS, caches
from django.db import DEFAULT_DB_ALIAS, connections

from otelkit.database.migrations import unapplied
from otelkit.database.targets import is_private

TIMEOUT = 2.0
"""Seconds after which a check has failed, unless it says otherwise. Kubernetes gives a probe one second by default: raise that."""


class UnhealthyError(Exception):
    """A check's answer is no. The text names no host, user or value: who may read a probe's answer reads it."""


@dataclass(frozen=True, slots=True)
class Check:
    """One question. ``ask`` raises, or gives False, where the answer is no; any other value is a yes."""

    name: str
    ask: Callable[[], object]
    timeout: float = TIMEOUT
    """Seconds after which the answer is no."""
    required: bool = True
    """Whether the probe fails with it. Of another one only the metric, the log and the report speak."""


def check(name: str, ask: Callable[[], object], *, timeout: float = TIMEOUT, required: bool = True) -> Check:
    """A check of the project's own. ``ask`` runs in a thread of its own and may be a coroutine function.

    Its name becomes the label ``check``, so it is one of a few. Raises ValueError for an empty name or a timeout that is not positive.
    """
    if not name or not isinstance(name, str):
        raise ValueError(f'A health check needs a name, like "model"; it is {name!r}.')
    if not timeout > 0:
        raise ValueError(f'The timeout of the health check "{name}" must be a number of seconds above 0; it is {timeout!r}.')
    return Check(name, lambda: _answer(ask), timeout, required)


def database(alias: str = DEFAULT_DB_ALIAS, *, timeout: float = TIMEOUT, required: bool = True) -> Check:
    """Whether the database of Django's alias lets a new connection in and answers on it."""

    def ask() -> None:
        connection = connections[alias]
        connection.ensure_connection()
        if not connection.is_usable():
            raise UnhealthyError("no answer")

    return check(_named("database", alias, DEFAULT_DB_ALIAS), ask, timeout=timeout, required=required)


def cache(alias: str = DEFAULT_CACHE_ALIAS, *, timeout: float = TIMEOUT, required: bool = True) -> Check:
    """Whether the cache of Django's alias gives back what was written. One that keeps nothing on purpose (dummy) passes."""
    key = f"otelkit.health.{uuid4().hex}"

    def ask() -> None:
        asked = caches[alias]
        asked.set(key, "here", 30)
        found = asked.get(key)
        if found != "here" and not type(asked).__module__.endswith(".dummy"):
            raise UnhealthyError("lost value")

    return check(_named("cache", alias, DEFAULT_CACHE_ALIAS), ask, timeout=timeout, required=required)


def migrations(alias: str = DEFAULT_DB_ALIAS, *, timeout: float = 10.0, required: bool = True) -> Check:
    """Whether the database of Django's alias has every migration of the code. For start-up alone: a rollback must not end what runs."""

    def ask() -> None:
        connection = connections[alias]
        if is_private(connection):
            return
        if count := unapplied(connection):
            raise UnhealthyError(f"{count} unapplied")

    return check(_named("migrations", alias, DEFAULT_DB_ALIAS), ask, timeout=timeout, required=required)


def _named(what: str, alias: str, default: str) -> str:
    return what if alias == default else f"{what}:{alias}"


def _answer(ask: Callable[[], object]) -> None:
    found = ask()
    if iscoroutine(found):
        found = asyncio.run(found)
    if found is False:
        raise UnhealthyError("said no")
