"""How long a query may take and how much it may hold."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from otelkit_stack.promql.errors import QueryCanceledError, QueryTimeoutError, TooManySamplesError


@dataclass(frozen=True, slots=True)
class Options:
    """How queries are evaluated; the defaults are Prometheus'."""

    lookback_ms: int = 300_000
    """How old a sample may be to still be its series' value."""
    subquery_step_ms: int = 60_000
    """Step of a subquery that names none."""
    max_samples: int = 50_000_000
    """Most samples that a query may read, and that one part of it may hold: its series times its steps."""
    timeout_s: float = 120.0
    """Longest time that a query may take."""
    late_names: bool = False
    """Keep the metric's name until the end of the query (Prometheus' feature ``promql-delayed-name-removal``)."""


class Cancellation:
    """Given to a query, and told when nobody waits for its answer any more."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        """Let the query end soon, with QueryCanceledError."""
        self._event.set()

    @property
    def is_cancelled(self) -> bool:
        return self._event.is_set()


@dataclass(slots=True)
class Budget:
    """What one query has left."""

    options: Options
    cancellation: Cancellation | None = None
    _deadline: float = field(init=False)

    def __post_init__(self) -> None:
        self._deadline = time.monotonic() + self.options.timeout_s

    def check(self) -> None:
        """Raise QueryCanceledError or QueryTimeoutError where the query has to end."""
        if self.cancellation is not None and self.cancellation.is_cancelled:
            raise QueryCanceledError
        if time.monotonic() > self._deadline:
            raise QueryTimeoutError

    def hold(self, samples: int) -> None:
        """Raise TooManySamplesError where so many samples are too many to hold."""
        if samples > self.options.max_samples:
            raise TooManySamplesError
