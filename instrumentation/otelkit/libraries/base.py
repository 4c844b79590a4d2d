"""The contract of an instrumented library.

It never raises into the caller's request, lets the library's own errors through unchanged, and ``uninstrument`` leaves no trace.
Optional packages are imported inside the functions, so that importing a library's file never needs its package.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from opentelemetry.trace import Tracer

from otelkit.catalog.libraries import LibraryFact
from otelkit.catalog.metrics import Metric
from otelkit.installed import is_installed
from otelkit.libraries.steps import Steps
from otelkit.metrics.aggregator import Aggregator
from otelkit.outbound import Outbound
from otelkit.tasks.messages import MessageRecorder
from otelkit.tasks.queues import TaskQueues
from otelkit.tasks.recorder import TaskRecorder
from otelkit.websockets.recorder import WebsocketRecorder


@dataclass(frozen=True, slots=True)
class Recording:
    """What a library records with: spans, metrics, calls to another service, steps of a request, tasks, messages, queues, websockets."""

    tracer: Tracer
    aggregator: Aggregator
    outbound: Outbound
    steps: Steps
    tasks: TaskRecorder
    messages: MessageRecorder
    queues: TaskQueues
    websockets: WebsocketRecorder


@dataclass(frozen=True, slots=True)
class Library:
    """One library: what it is, how to begin and to stop following it, and the metrics it records."""

    fact: LibraryFact
    instrument: Callable[[Recording], None]
    """Called once the library's module has been imported; a second call changes nothing."""
    uninstrument: Callable[[], None]
    """Called at the end, also where ``instrument`` never was."""
    emits: tuple[Metric, ...]

    @property
    def name(self) -> str:
        """As the settings call it."""
        return self.fact.name

    def is_installed(self) -> bool:
        """Whether its module can be imported. A package is not imported to find out."""
        module = self.fact.module
        return is_installed(module if module.startswith("django.") else module.partition(".")[0])
