"""What ``start_as_current_span`` gives back: a context manager, and a decorator of functions and of coroutine functions."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import wraps
from inspect import iscoroutinefunction
from types import TracebackType
from typing import Any

from opentelemetry.trace import Span


class CurrentSpan(AbstractContextManager[Span]):
    """Makes a span current for a block, or anew for each call of what it decorates."""

    def __init__(self, make: Callable[[], AbstractContextManager[Span]]) -> None:
        self._make = make
        self._open: AbstractContextManager[Span] | None = None

    def __enter__(self) -> Span:
        self._open = self._make()
        return self._open.__enter__()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None) -> bool | None:
        return self._open.__exit__(kind, error, stack) if self._open is not None else None

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        make = self._make
        if iscoroutinefunction(function):

            @wraps(function)
            async def awaiting(*args: Any, **kwargs: Any) -> Any:
                with make():
                    return await function(*args, **kwargs)

            return awaiting

        @wraps(function)
        def calling(*args: Any, **kwargs: Any) -> Any:
            with make():
                return function(*args, **kwargs)

        return calling
