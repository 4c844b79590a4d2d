"""A circuit breaker for sync and async code.

Ours, because pybreaker 1.4 holds its lock during the call, so that calls of one breaker wait for one another, and its async form is
Tornado's. Who has pybreaker already gets the same telemetry by :func:`otelkit.patterns.resilience.follow_pybreaker`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from inspect import iscoroutinefunction
from threading import Lock
from time import monotonic
from typing import Any, TypeVar
from weakref import WeakSet, finalize, ref

from otelkit.patterns.resilience.recording import CLOSED, HALF_OPEN, OPEN, breaker_changed, breaker_rejected, observe_breaker

F = TypeVar("F", bound=Callable[..., Any])


class CircuitOpenError(Exception):
    """The breaker did not let the call through: too many before it failed. ``retry_in`` is the seconds until it tries again."""

    def __init__(self, name: str, retry_in: float) -> None:
        self.name = name
        self.retry_in = retry_in
        super().__init__(f'The circuit breaker "{name}" is open; it lets a call through in {retry_in:.1f} s.')


class Admission:
    """A call that was let through."""

    __slots__ = ("error", "generation", "has_failed")

    def __init__(self, generation: int) -> None:
        self.generation = generation
        self.has_failed = False
        self.error = ""

    def failed(self, why: str = "") -> None:
        """Says that the call failed although nothing was raised, as by an answer of 503."""
        self.has_failed = True
        self.error = why


class CircuitBreaker:
    """Lets no call through for ``reset_after`` seconds once ``failures`` in a row failed; then ``probes`` calls decide.

    A decorator of functions and of coroutine functions, or :meth:`guard` for a block. A failure is one of ``on`` and none of ``ignored``;
    any other exception is an answer. ``name`` is one of a few: it is a label. Raises ValueError for numbers that make no sense.
    """

    def __init__(
        self,
        name: str,
        *,
        failures: int = 5,
        reset_after: float = 30.0,
        probes: int = 1,
        on: tuple[type[BaseException], ...] = (Exception,),
        ignored: tuple[type[BaseException], ...] = (),
        clock: Callable[[], float] = monotonic,
    ) -> None:
        if failures < 1 or probes < 1 or not reset_after > 0:
            raise ValueError(
                f'The circuit breaker "{name}" needs failures and probes of at least 1 and a reset_after above 0; '
                f"they are {failures}, {probes} and {reset_after}."
            )
        self.name = name
        self._failures = failures
        self._reset_after = reset_after
        self._probes = probes
        self._on = on
        self._ignored = ignored
        self._clock = clock
        self._lock = Lock()
        self._state = CLOSED
        self._generation = 0
        """Counts changes of state: what a call says that was let through before the last one is old news."""
        self._failed = 0
        self._passed = 0
        self._under_way = 0
        self._since = clock()
        _breakers.add(self)
        myself = ref(self)  # the registry must not keep it alive
        finalize(self, observe_breaker(name, lambda: found.state if (found := myself()) else ""))

    @property
    def state(self) -> str:
        """``closed``, ``open`` or ``half_open``, which it is from when it would let a call through, whether or not one comes."""
        with self._lock:
            return HALF_OPEN if self._state == OPEN and self._rest(self._clock()) <= 0 else self._state

    @contextmanager
    def guard(self) -> Iterator[Admission]:
        """Lets the block run, and learns from how it ends. Raises CircuitOpenError where it must not run."""
        admission = self._admit()
        try:
            yield admission
        except BaseException as error:
            if isinstance(error, self._on) and not isinstance(error, self._ignored):
                admission.failed(type(error).__name__)
                self._settle(admission)
            else:
                # A cancelled call says nothing of whom it called; any other exception of the project's is an answer.
                self._settle(admission, says_something=isinstance(error, Exception))
            raise
        self._settle(admission)

    def __call__(self, function: F) -> F:
        """The function behind this breaker."""
        if iscoroutinefunction(function):

            @wraps(function)
            async def awaiting(*args: Any, **kwargs: Any) -> Any:
                with self.guard():
                    return await function(*args, **kwargs)

            return awaiting  # type: ignore[return-value]

        @wraps(function)
        def calling(*args: Any, **kwargs: Any) -> Any:
            with self.guard():
                return function(*args, **kwargs)

        return calling  # type: ignore[return-value]

    def reset(self) -> None:
        """Closes it by hand."""
        with self._lock:
            changed = self._state != CLOSED
            self._go(CLOSED)
        if changed:
            breaker_changed(self.name, CLOSED)

    def _admit(self) -> Admission:
        changed = False
        wait = 0.0
        with self._lock:
            now = self._clock()
            if self._state == OPEN:
                wait = self._rest(now)
                if wait <= 0:
                    self._go(HALF_OPEN)
                    changed = True
            if self._state == HALF_OPEN:
                if self._under_way >= self._probes and self._rest(now) <= 0:
                    self._go(HALF_OPEN)  # the probes hang: others must not wait for them
                if self._under_way >= self._probes:
                    wait = max(self._rest(now), 0.001)
                else:
                    self._under_way += 1
                    wait = 0.0
            admission = Admission(self._generation)
        if changed:
            breaker_changed(self.name, HALF_OPEN)
        if wait > 0:
            breaker_rejected(self.name)
            raise CircuitOpenError(self.name, wait)
        return admission

    def _settle(self, admission: Admission, *, says_something: bool = True) -> None:
        changed = ""
        with self._lock:
            if admission.generation != self._generation:
                return
            if self._state == HALF_OPEN:
                self._under_way -= 1
            if not says_something:
                return
            if admission.has_failed:
                self._failed += 1
                if self._state == HALF_OPEN or self._failed >= self._failures:
                    changed = OPEN
            else:
                self._failed = 0
                self._passed += 1
                if self._state == HALF_OPEN and self._passed >= self._probes:
                    changed = CLOSED
            if changed:
                self._go(changed)
        if changed:
            breaker_changed(self.name, changed, admission.error)

    def _rest(self, now: float) -> float:
        """Seconds until it lets a call through, or another one than those that hang; none are left at 0 and below."""
        return self._since + self._reset_after - now

    def _go(self, state: str) -> None:
        self._state = state
        self._generation += 1
        self._failed = self._passed = self._under_way = 0
        self._since = self._clock()


_breakers: WeakSet[CircuitBreaker] = WeakSet()


def _renew_locks() -> None:
    for breaker in list(_breakers):
        breaker._lock = Lock()


os.register_at_fork(after_in_child=_renew_locks)  # another thread of the parent may have held one
