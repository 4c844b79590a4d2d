"""The SDK's meters and instruments, safe from what they are given: spans have theirs in :mod:`otelkit.traces.guarded`.

The SDK cleans and hashes attributes and compares amounts where a measurement is made, in the request: a value whose ``__hash__`` raises, or
an amount that is no number, raises there, and one that holds itself many times takes for ever; in an observable's callback that stops the
export. Here attributes are made plain first, and what still fails costs the measurement.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator, Sequence
from functools import lru_cache
from typing import Any

from opentelemetry.context import Context
from opentelemetry.metrics import CallbackOptions, CallbackT, Meter, Observation
from opentelemetry.util.types import Attributes

from otelkit.traces.attributes import plain_attributes

logger = logging.getLogger("otelkit.metrics")

Callbacks = Sequence[CallbackT] | None

_RECORDING = ("add", "record", "set")
"""What counters, histograms and gauges call their one way to take a measurement."""


def guarded(meter: Meter) -> Meter:
    """The meter, whose instruments from now on raise for nothing that is measured, and read only plain attributes."""
    if type(meter).__module__ != __name__:  # the SDK hands the same one out to everybody who asks for its name
        # The SDK has no way to say which class its meters shall have.
        meter.__class__ = _guarded_meter(type(meter))
    return meter


@lru_cache(maxsize=16)
def _guarded_meter(kind: Any) -> Any:
    class GuardedMeter(kind):  # type: ignore[misc]  # whichever class the SDK's provider makes
        def create_counter(self, *args: Any, **kwargs: Any) -> Any:
            return _guard(super().create_counter(*args, **kwargs))

        def create_up_down_counter(self, *args: Any, **kwargs: Any) -> Any:
            return _guard(super().create_up_down_counter(*args, **kwargs))

        def create_histogram(self, *args: Any, **kwargs: Any) -> Any:
            return _guard(super().create_histogram(*args, **kwargs))

        def create_gauge(self, *args: Any, **kwargs: Any) -> Any:
            return _guard(super().create_gauge(*args, **kwargs))

        def create_observable_counter(self, name: str, callbacks: Callbacks = None, *args: Any, **kwargs: Any) -> Any:
            return super().create_observable_counter(name, _observing_plainly(callbacks), *args, **kwargs)

        def create_observable_up_down_counter(self, name: str, callbacks: Callbacks = None, *args: Any, **kwargs: Any) -> Any:
            return super().create_observable_up_down_counter(name, _observing_plainly(callbacks), *args, **kwargs)

        def create_observable_gauge(self, name: str, callbacks: Callbacks = None, *args: Any, **kwargs: Any) -> Any:
            return super().create_observable_gauge(name, _observing_plainly(callbacks), *args, **kwargs)

    return GuardedMeter


def _observing_plainly(callbacks: Callbacks) -> Callbacks:
    return None if callbacks is None else [_observing(callback) for callback in callbacks]


def _observing(callback: CallbackT) -> CallbackT:
    """A function in the place of a callback, which the API allows to be a generator that is sent the options."""
    if isinstance(callback, Generator):
        next(callback)
        ask: Any = callback.send
    else:
        ask = callback

    def observe(options: CallbackOptions) -> Iterator[Observation]:
        # What came before the callback fails is kept; the SDK says the failure.
        for observation in ask(options):
            yield Observation(observation.value, plain_attributes(observation.attributes), observation.context)

    return observe


def _guard(instrument: Any) -> Any:
    # On the instrument itself: the SDK looks up how to aggregate by its class.
    (method,) = (name for name in _RECORDING if hasattr(instrument, name))
    if method not in vars(instrument):  # the SDK hands the same one out to everybody who asks for its name
        setattr(instrument, method, _taking_safely(instrument.name, getattr(instrument, method)))
    return instrument


def _taking_safely(name: str, take: Callable[..., None]) -> Callable[..., None]:
    is_told = False

    def take_safely(amount: Any, attributes: Attributes = None, context: Context | None = None) -> None:
        nonlocal is_told
        try:
            take(amount, plain_attributes(attributes), context)
        except Exception:
            if not is_told:
                is_told = True
                logger.exception("A measurement of %s was not taken; the code that made it goes on. (said once)", name)

    return take_safely
