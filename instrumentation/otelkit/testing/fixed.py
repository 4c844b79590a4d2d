"""Ids that count 1, 2, 3 and a clock that moves one millisecond each time it is read: telemetry that is the same in every run."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import ExitStack
from importlib import import_module
from itertools import count
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

START_NS = 1_767_225_600_000_000_000
"""2026-01-01T00:00:00Z."""
STEP_NS = 1_000_000

CLOCKS: tuple[tuple[str, str], ...] = (
    ("otelkit.commands", "perf_counter"),
    ("otelkit.commands", "time"),
    ("otelkit.database.pools", "perf_counter"),
    ("otelkit.database.recorder", "perf_counter"),
    ("otelkit.database.recorder", "time_ns"),
    ("otelkit.libraries.django_cache", "perf_counter"),
    ("otelkit.libraries.redis", "perf_counter"),
    ("otelkit.libraries.redis", "time_ns"),
    ("otelkit.libraries.steps", "perf_counter"),
    ("otelkit.libraries.steps", "time_ns"),
    ("otelkit.logs.access", "time"),
    ("otelkit.outbound", "perf_counter"),
    ("otelkit.patterns.saga.telemetry", "perf_counter"),
    ("otelkit.request.engine", "perf_counter"),
    ("otelkit.request.incoming", "time"),
    ("otelkit.request.phases", "perf_counter"),
    ("otelkit.request.streaming", "perf_counter"),
    ("otelkit.tasks.carrying", "time"),
    ("otelkit.tasks.messages", "perf_counter"),
    ("otelkit.tasks.recorder", "perf_counter"),
    ("otelkit.tasks.recorder", "time"),
    ("otelkit.tasks.state", "perf_counter"),
    ("otelkit.traces.span", "perf_counter_ns"),
    ("otelkit.traces.span", "time_ns"),
    ("otelkit.websockets.recorder", "perf_counter"),
    ("otelkit.websockets.state", "perf_counter"),
    ("opentelemetry.sdk.trace", "time_ns"),
)
"""Where what is recorded reads a clock: module and name. What only sends or reads back keeps the machine's clock: it has to wait in it."""

_PLACE: dict[str, str | int] = {"host.name": "host", "service.instance.id": "host:0", "process.pid": 1}

DICE = ("otelkit.traces.tracer", "opentelemetry.sdk.trace.id_generator")
"""Modules whose ``random`` makes ids."""


class Clock:
    """One time for every clock: Unix time, and the counters, as the same number of steps."""

    def __init__(self) -> None:
        self._steps = count()

    def time_ns(self) -> int:
        """Unix nanoseconds."""
        return START_NS + next(self._steps) * STEP_NS

    def time(self) -> float:
        """Unix seconds."""
        return self.time_ns() / 1e9

    def perf_counter_ns(self) -> int:
        """Nanoseconds since the start."""
        return next(self._steps) * STEP_NS

    def perf_counter(self) -> float:
        """Seconds since the start."""
        return self.perf_counter_ns() / 1e9


class Dice:
    """``random`` for makers of ids: trace ids count up, and so do span ids."""

    def __init__(self) -> None:
        self._counters = {128: count(1), 64: count(1)}

    def getrandbits(self, bits: int) -> int:
        """The next id of this many bits."""
        return next(self._counters[bits])


def fix_ids_and_clock() -> Callable[[], None]:
    """From now on every id and time that is recorded is a fixed one; what comes back ends that."""
    clock, dice = Clock(), Dice()
    stack = ExitStack()
    for module, name in CLOCKS:
        reading: Any = SimpleNamespace(time=clock.time) if name == "time" else getattr(clock, name)
        stack.enter_context(patch.object(import_module(module), name, reading))
    for module in DICE:
        stack.enter_context(patch.object(import_module(module), "random", dice))
    make_record = logging.getLogRecordFactory()

    def make_fixed_record(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make_record(*args, **kwargs)
        record.created = clock.time()
        return record

    stack.callback(logging.setLogRecordFactory, make_record)
    logging.setLogRecordFactory(make_fixed_record)
    return stack.close


def fixed_resource(resource: dict[str, str | int], chosen: dict[str, str]) -> None:
    """Replaces what says where and in which process a test runs, unless the settings chose it."""
    resource.update({name: value for name, value in _PLACE.items() if name not in chosen})
