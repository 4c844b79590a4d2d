"""start() and stop(): the order of wiring, and nothing else.

Reads top to bottom: configuration, identity, exporter, then everything that records. Each step leaves its undoing behind, so stop() is the
same list backwards.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import Tracer

import otelkit
from otelkit import forking
from otelkit.config import Config, load
from otelkit.ending import before_the_end
from otelkit.errors import ConfigError
from otelkit.export.exporter import Exporter
from otelkit.export.sender import HttpSender, Sender
from otelkit.identity import Slot, resource_attributes
from otelkit.metrics.aggregator import Aggregator
from otelkit.metrics.pool import observe_pool
from otelkit.metrics.process import observe_process
from otelkit.presence import Presence
from otelkit.redaction import redact_url
from otelkit.request.engine import RequestEngine
from otelkit.servers import recognise, uwsgi

if TYPE_CHECKING:
    from otelkit.log_wiring import LogWiring
    from otelkit.metrics.pull import Pull

logger = logging.getLogger("otelkit")

MIDDLEWARE = "otelkit.middleware.ObservabilityMiddleware"
VIEW_MIDDLEWARE = "otelkit.request.phases.ViewMiddleware"


@dataclass
class Runtime:
    """What is running, and how to undo it."""

    config: Config
    resource: dict[str, str | int]
    tracer: Tracer
    aggregator: Aggregator
    exporter: Exporter
    engine: RequestEngine
    presence: Presence = field(init=False)
    pid: int = field(init=False, default_factory=os.getpid)
    """The process that what was recorded so far belongs to."""
    slot: Slot | None = field(init=False, default=None)
    """None while the process waits."""
    pull: Pull | None = field(default=None, kw_only=True)
    log_wiring: LogWiring | None = None
    undo: ExitStack = field(default_factory=ExitStack)
    notes: list[str] = field(default_factory=list)
    """What was set up, skipped, and why: a sentence each, for the start line and ``otelkit status``."""

    def __post_init__(self) -> None:
        self.presence = Presence(partial(forking.begin, self))


_runtime: Runtime | None = None
_lock = threading.Lock()
_hooked_forks = False


def current() -> Runtime | None:
    """The running kit of this process, or None."""
    return _runtime


def start(config: Config | None = None, *, sender: Sender | None = None) -> Runtime | None:
    """Sets everything up, once; further calls give the same runtime. None where the configuration switches the kit off.

    Without ``config`` it is read from Django's settings and the environment. With a ``sender`` this process begins at once, else it waits
    (see :mod:`otelkit.presence`). Raises ConfigError for settings that cannot be used; any other failure is logged and leaves the
    application as it was.
    """
    global _runtime
    with _lock:
        if _runtime is not None:
            return _runtime
        if config is None:
            config = config_of_project()
        if not config.enabled:
            return None
        undo = ExitStack()
        try:
            _runtime = _start(config, sender, undo)
        except ConfigError:
            undo.close()
            raise
        except Exception:
            logger.exception("otelkit could not start; the application goes on without telemetry.")
            undo.close()
            return None
    server = recognise()
    _runtime.notes.append(f"process: {server}")
    _announce(_runtime)
    if server.warning:
        logger.warning("%s", server.warning)
    forking.wait(_runtime, server)
    if sender is not None:
        _runtime.presence.begin()
    return _runtime


def stop() -> None:
    """Sends what is queued, within the configured time, and restores everything that start() changed."""
    global _runtime
    with _lock:  # all the way: whoever comes second may end the process on return, so the first must be through
        runtime, _runtime = _runtime, None
        if runtime is not None:
            runtime.undo.close()


def config_of_project() -> Config:
    """The configuration of the Django project of this process. Raises ConfigError."""
    from django.conf import settings

    return load(getattr(settings, "OTELKIT", None), os.environ, debug=bool(settings.DEBUG))


def _start(config: Config, sender: Sender | None, undo: ExitStack) -> Runtime:
    notes: list[str] = []
    resource = resource_attributes(config.service)
    aggregator = Aggregator(config.metrics.series_cap)
    observe_process(aggregator)
    exporter = Exporter(config, resource, aggregator, sender or HttpSender(config.export))
    tracer, note = _trace(config, exporter, undo)
    notes.append(note)
    engine = RequestEngine(config, tracer, aggregator)
    runtime = Runtime(config, resource, tracer, aggregator, exporter, engine, undo=undo, notes=notes)
    undo.callback(forking.leave_slot, runtime)
    observe_pool(aggregator, runtime.presence)
    _follow_queries(runtime)
    _follow_calls(runtime)
    _follow_requests(runtime)
    _write_logs(runtime)
    _measure(runtime)
    undo.callback(before_the_end(stop))  # undone after the next two: a SIGTERM that comes while they send must find our handler
    _serve_metrics(runtime)
    undo.callback(exporter.shutdown)
    _hook_forks()
    undo.callback(uwsgi.follow_forks(partial(_after_fork_in_child, by_python=False)))
    undo.callback(runtime.presence.close)
    return runtime


def _trace(config: Config, exporter: Exporter, undo: ExitStack) -> tuple[Tracer, str]:
    from otelkit.traces.provider import switch_off, switch_on
    from otelkit.traces.w3c import replace_default

    undo.callback(switch_off)
    undo.callback(replace_default())
    take = exporter.span if "otlp" in config.traces.exporters else None
    tracer, made_by = switch_on("otelkit", otelkit.__version__, config.traces.sample_ratio, take)
    kept = f"{config.traces.sample_ratio:.0%} of new traces kept"
    return tracer, f"traces: {made_by}, {kept}" if config.traces.exporters else "traces: off"


def _follow_queries(runtime: Runtime) -> None:
    from otelkit.database import PoolObserver, QueryRecorder

    recorder = QueryRecorder(runtime.tracer, runtime.aggregator, runtime.config.database)
    runtime.undo.callback(recorder.switch_off)
    recorder.switch_on()
    pools = PoolObserver(runtime.aggregator)
    runtime.undo.callback(pools.switch_off)
    pools.switch_on()


def _follow_calls(runtime: Runtime) -> None:
    from otelkit.libraries import LIBRARIES
    from otelkit.outbound import Outbound

    outbound = Outbound(runtime.tracer, runtime.aggregator, runtime.config.clients.peers)
    for library in LIBRARIES:
        if library.name not in runtime.config.clients.libraries:
            runtime.notes.append(f"{library.name}: not in the setting clients.libraries")
        elif not library.is_installed():
            runtime.notes.append(f"{library.name}: not installed, nothing to follow")
        else:
            runtime.undo.callback(library.uninstrument)
            library.instrument(outbound)
            runtime.notes.append(f"{library.name}: outbound calls are traced")


def _follow_requests(runtime: Runtime) -> None:
    if runtime.config.requests.engine == "upstream":
        from otelkit.request.upstream import follow_requests

        runtime.notes.extend(follow_requests(runtime.config.requests, runtime.aggregator, runtime.undo))
        return
    from django.conf import settings
    from django.core.signals import got_request_exception

    from otelkit.middleware import remember_exception

    runtime.undo.callback(got_request_exception.disconnect, remember_exception)
    got_request_exception.connect(remember_exception)
    before = list(settings.MIDDLEWARE)
    if MIDDLEWARE not in before:
        # Outermost, so that it sees what every other middleware does. Django reads the list when the server makes its handler, after this.
        settings.MIDDLEWARE = [MIDDLEWARE, *before]
        runtime.undo.callback(setattr, settings, "MIDDLEWARE", before)
    if runtime.config.requests.phases:
        from otelkit.request.phases import follow_templates

        settings.MIDDLEWARE = [*settings.MIDDLEWARE, VIEW_MIDDLEWARE]
        runtime.undo.callback(setattr, settings, "MIDDLEWARE", before)
        runtime.undo.callback(follow_templates())


def _write_logs(runtime: Runtime) -> None:
    from otelkit.log_wiring import LogWiring

    emit = runtime.exporter.log if "otlp" in runtime.config.logs.exporters else None
    runtime.log_wiring = LogWiring(runtime.config.logs, runtime.resource, emit)
    runtime.undo.callback(runtime.log_wiring.remove)
    runtime.notes.extend(runtime.log_wiring.notes)


def _measure(runtime: Runtime) -> None:
    from otelkit.metrics import business, user_instruments

    config = runtime.config.metrics
    if not config.exporters:
        runtime.notes.append("metrics: off")
        return
    runtime.undo.callback(business.switch_off)
    business.switch_on(runtime.aggregator, strict=config.strict)
    runtime.undo.callback(user_instruments.switch_off)
    made_by = user_instruments.switch_on(config.series_cap, runtime.aggregator.overflowed)
    runtime.notes.append(f"metrics: OpenTelemetry instruments come from {made_by}")


def _serve_metrics(runtime: Runtime) -> None:
    if "prometheus" in runtime.config.metrics.exporters:
        from otelkit.metrics.pull import Pull

        runtime.pull = Pull(runtime.config.metrics, runtime.aggregator, runtime.resource)
        runtime.pull.start()
        runtime.undo.callback(runtime.pull.stop)
        runtime.notes.append(f"metrics: {runtime.pull}")


def _hook_forks() -> None:
    global _hooked_forks
    if not _hooked_forks:
        os.register_at_fork(after_in_child=_after_fork_in_child)
        _hooked_forks = True


def _after_fork_in_child(*, by_python: bool = True) -> None:
    global _lock
    _lock = threading.Lock()  # another thread of the parent may have held the old one
    if _runtime is not None:
        forking.become_child(_runtime, by_python=by_python)


def _announce(runtime: Runtime) -> None:
    logger.info("%s", start_line(runtime), extra=_plain(runtime))


def start_line(runtime: Runtime) -> str:
    """One line: who this is, what leaves it and whereto."""
    config = runtime.config
    roads = {"traces": config.traces.exporters, "metrics": config.metrics.exporters, "logs": config.logs.exporters}
    said = ", ".join(f"{signal} to {'+'.join(exporters) or 'nowhere'}" for signal, exporters in roads.items())
    who = f"{runtime.resource['service.name']} ({config.preset})"
    return f"otelkit {otelkit.__version__} observes {who}: {said}; OTLP to {redact_url(config.export.endpoint)}."


def _plain(runtime: Runtime) -> Mapping[str, Any]:
    return {"event.name": "otelkit.started", "notes": list(runtime.notes)}
