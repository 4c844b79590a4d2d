"""The contract of an instrumented library.

It never raises into the caller's request, lets the library's own errors through unchanged, and ``uninstrument`` leaves no trace.
Optional packages are imported inside the functions, so that importing a library's file never needs its package.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

from opentelemetry.trace import Tracer

from otelkit.catalog.metrics import Metric
from otelkit.metrics.aggregator import Aggregator
from otelkit.outbound import Outbound


@dataclass(frozen=True, slots=True)
class Recording:
    """What a library records with: spans, metrics, and calls to another service, which have both."""

    tracer: Tracer
    aggregator: Aggregator
    outbound: Outbound


@dataclass(frozen=True, slots=True)
class Library:
    """One library: its package, how to begin and to stop following it, and the metrics it records."""

    name: str
    instrument: Callable[[Recording], None]
    uninstrument: Callable[[], None]
    emits: tuple[Metric, ...]

    def is_installed(self) -> bool:
        """Whether the package can be imported."""
        return find_spec(self.name) is not None
