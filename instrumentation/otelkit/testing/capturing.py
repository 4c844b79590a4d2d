"""``capture()``: the kit runs, and what it sends, writes and passes on stays in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from otelkit import startup
from otelkit.config import load
from otelkit.errors import OtelkitError
from otelkit.testing.fixed import fix_ids_and_clock, fixed_resource
from otelkit.testing.keeping import HeaderKeeper, LineKeeper
from otelkit.testing.memory import MemorySender
from otelkit.testing.telemetry import Telemetry

_running: Telemetry | None = None


@contextmanager
def capture(
    settings: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None, *, fixed: bool = False
) -> Iterator[Telemetry]:
    """Runs the kit with these ``OTELKIT`` settings and keeps what it sends; stops it again at the end.

    The environment is ignored unless ``environ`` is given. With ``fixed``, trace ids and span ids count 1, 2, 3, and each reading of the
    clock is one millisecond after the one before, from 2026-01-01T00:00:00Z on: what is captured is the same in every run, as a snapshot
    needs it. Raises OtelkitError when the kit runs already.
    """
    global _running
    if startup.current() is not None:
        raise OtelkitError("otelkit runs already in this process; call otelkit.startup.stop() before capture().")
    config = load(settings or {}, environ or {})
    sender = MemorySender()
    with ExitStack() as undo:
        if fixed:
            undo.callback(fix_ids_and_clock())
        undo.callback(startup.stop)
        runtime = startup.start(config, sender=sender)
        if runtime is None:
            why = "could not start; its log says why" if config.enabled else "is switched off by these settings"
            raise OtelkitError(f"otelkit {why}, so there is nothing to capture.")
        if fixed:
            fixed_resource(runtime.resource, config.service.attributes)
            if runtime.log_wiring is not None:
                runtime.log_wiring.rename()
        lines, headers = LineKeeper(runtime.resource), HeaderKeeper()
        undo.callback(lines.listen(config.logs.level))
        undo.callback(headers.listen())
        _running = Telemetry(runtime, sender, lines, headers)
        try:
            yield _running
        finally:
            _running = None


@contextmanager
def query_budget(at_most: int, name: str | None = None) -> Iterator[Telemetry]:
    """Fails where a request inside the block runs more than ``at_most`` queries; ``name`` looks at requests of one name only.

    Captures for the block where nothing is captured yet. Raises AssertionError with every statement of such a request, how often it ran and
    which line ran it; also where there is no such request, because then nothing was tested.
    """
    with capture() if _running is None else _borrowed(_running) as telemetry, telemetry.query_budget(at_most, name):
        yield telemetry


@contextmanager
def _borrowed(telemetry: Telemetry) -> Iterator[Telemetry]:
    yield telemetry
