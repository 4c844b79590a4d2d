"""The telemetry of a circuit breaker of pybreaker's."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from threading import local
from time import monotonic
from typing import Any

from otelkit.patterns.resilience.recording import HALF_OPEN, breaker_changed, breaker_rejected, observe_breaker


def follow_pybreaker(breaker: Any) -> Callable[[], None]:
    """State, changes and rejections of a ``pybreaker.CircuitBreaker``; what comes back ends it. Needs pybreaker.

    Changes come from a listener; rejections, of which listeners hear nothing, from its ``call``.
    """
    import pybreaker

    name = str(breaker.name or "unnamed")
    call = breaker.call
    this_thread = local()
    opened = inf  # since when it is open, if we saw it

    class Listener(pybreaker.CircuitBreakerListener):
        def before_call(self, *_: Any, **__: Any) -> None:
            this_thread.was_let_through = True

        def state_change(self, cb: Any, old_state: Any, new_state: Any) -> None:  # noqa: ARG002  (pybreaker's signature)
            nonlocal opened
            opened = monotonic() if new_state.name == pybreaker.STATE_OPEN else inf
            breaker_changed(name, _spelled(new_state.name))

    def counted_call(function: Any, *args: Any, **kwargs: Any) -> Any:
        this_thread.was_let_through = False
        try:
            return call(function, *args, **kwargs)
        except pybreaker.CircuitBreakerError:
            if not this_thread.was_let_through:  # the call whose failure opens the breaker raises this error, too
                breaker_rejected(name)
            raise

    def state() -> str:
        # Its own word is "open" until somebody calls: what nobody calls would seem to turn calls back for ever.
        return HALF_OPEN if monotonic() - opened >= breaker.reset_timeout else _spelled(breaker.current_state)

    listener = Listener()
    breaker.add_listener(listener)
    breaker.call = counted_call
    end_observing = observe_breaker(name, state)

    def end() -> None:
        breaker.remove_listener(listener)
        breaker.__dict__.pop("call", None)
        end_observing()

    return end


def _spelled(state: str) -> str:
    return state.replace("-", "_")
