"""Answers with less: what is left out is counted, so that a service that degrades all the time does not pass for a healthy one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from otelkit.patterns.resilience.recording import degraded

__all__ = ["degraded", "fall_back", "fall_back_async"]

T = TypeVar("T")


def fall_back(call: Callable[[], T], otherwise: Callable[[], T], *, feature: str, on: tuple[type[Exception], ...] = (Exception,)) -> T:
    """What ``call`` gives; where it raises one of ``on``, what ``otherwise`` gives, counted as degraded by the exception's class."""
    try:
        return call()
    except on as error:
        degraded(feature, type(error).__name__)
    return otherwise()


async def fall_back_async(
    call: Callable[[], Awaitable[T]], otherwise: Callable[[], T], *, feature: str, on: tuple[type[Exception], ...] = (Exception,)
) -> T:
    """:func:`fall_back` of a coroutine function; ``otherwise`` has its answer at hand."""
    try:
        return await call()
    except on as error:
        degraded(feature, type(error).__name__)
    return otherwise()
