"""start() and stop(): the order of wiring, and nothing else.

Reads top to bottom: configuration, identity, exporter, then everything that records. Each step leaves its undoing behind, so stop() is the
same list backwards.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from opentelemetry.trace import Tracer

import otelkit
from otelkit import forking
from otelkit.config import Config, Logs
from otelkit.ending import before_the_end
from otelkit.entry import is_command
from otelkit.errors import ConfigError
from otelkit.export.exporter import Exporter
from otelkit.export.sender import Sender
from otelkit.export.senders import sender_of
from otelkit.identity import Slot, resource_attributes
from otelkit.metrics.aggregator import Aggregator
from otelkit.metrics.pool import observe_pool
from otelkit.metrics.process import observe_process
from otelkit.notes import off, on
from otelkit.presence import Presence
from otelkit.project import config_of_project as config_of_project
from otelkit.redaction import redact_url
from otelkit.request.engine import RequestEngine
from otelkit.request.excluded import ExcludedPaths
from otelkit.request.wiring import MIDDLEWARE as MIDDLEWARE
from otelkit.request.wiring import VIEW_MIDDLEWARE as VIEW_MIDDLEWARE
from otelkit.request.wiring import follow_requests
from otelkit.servers import recognise, uwsgi

if TYPE_CHECKING:
    from otelkit.log_wiring import LogWiring
    from otelkit.metrics.pull import Pull

logger = logging.getLogger("otelkit")


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
    _runtime.notes.append(on(f"process: {server}"))
    _announce(_runtime)
    if config.ignored:
        said = "; ".join(f"{name} ({instead})" for name, instead in config.ignored.items())
        logger.warning("Variables of OpenTelemetry that are set and change nothing here: %s.", said)
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


def _start(config: Config, sender: Sender | None, undo: ExitStack) -> Runtime:
    resource = resource_attributes(config.service)
    aggregator = Aggregator(config.metrics.series_cap, keeps_exemplars=config.metrics.exemplars != "always_off")
    observe_process(aggregator, config.service)
    exporter = Exporter(config, resource, aggregator, sender or sender_of(config.export))
    tracer, notes = _trace(config, exporter, undo)
    notes += [off(f"variable {name}: changes nothing here; {instead}") for name, instead in config.ignored.items()]
    notes += _distribution()
    engine = RequestEngine(config, tracer, aggregator)
    runtime = Runtime(config, resource, tracer, aggregator, exporter, engine, undo=undo, notes=notes)
    undo.callback(forking.leave_slot, runtime)
    observe_pool(aggregator, runtime.presence)
    _follow_queries(runtime)
    _follow_libraries(runtime)
    interrupt_command = _follow_commands(runtime)
    _follow_requests(runtime)
    _write_logs(runtime)
    _measure(runtime)
    undo.callback(before_the_end(stop))  # undone after the next two: a SIGTERM that comes while they send must find our handler
    _serve_metrics(runtime)
    undo.callback(exporter.shutdown)
    _hook_forks()
    undo.callback(uwsgi.follow_forks(partial(_after_fork_in_child, by_python=False)))
    undo.callback(runtime.presence.close)
    undo.callback(interrupt_command)
    return runtime


def _trace(config: Config, exporter: Exporter, undo: ExitStack) -> tuple[Tracer, list[str]]:
    from opentelemetry.trace import get_tracer_provider

    from otelkit.traces.propagators import propagate_by
    from otelkit.traces.provider import exports_by_itself, switch_off, switch_on

    traces = config.traces
    undo.callback(switch_off)
    undo.callback(propagate_by(traces.propagators, is_chosen="traces.propagators" in config.sources))
    take = exporter.span if "otlp" in traces.exporters else None
    excluded = ExcludedPaths(config.requests.excluded_paths)
    tracer, kept = switch_on(
        "otelkit",
        otelkit.__version__,
        traces.kept_share,
        take,
        excluded.covers,
        follows_caller=traces.follows_callers,
        sdk_spans=traces.sdk_spans,
    )
    if not traces.exporters:
        return tracer, [off("traces: setting traces.exporters")]
    road = [] if exports_by_itself(get_tracer_provider()) else [_road(config, "traces")]
    return tracer, [*road, on(f"traces: {kept}")]


def _road(config: Config, signal: str) -> str:
    return on(f"{signal}: to {redact_url(config.export.address(signal))}")


def _distribution() -> list[str]:
    """What to tell where ``opentelemetry-instrument`` started us: nobody else imports the module."""
    distro = sys.modules.get("otelkit.distro")
    left_out = ", ".join(f"{name} ({distro.FOLLOWED.get(name, name)})" for name in distro.left_out) if distro else ""
    return [off(f"instrumentors of OpenTelemetry: {left_out}, because otelkit follows those itself")] if left_out else []


def _follow_queries(runtime: Runtime) -> None:
    from otelkit.database import MigrationObserver, PoolObserver, QueryRecorder

    recorder = QueryRecorder(runtime.tracer, runtime.aggregator, runtime.config.database)
    runtime.undo.callback(recorder.switch_off)
    recorder.switch_on()
    pools = PoolObserver(runtime.aggregator)
    runtime.undo.callback(pools.switch_off)
    pools.switch_on()
    if runtime.config.database.migrations:
        MigrationObserver(runtime.aggregator)
    database = runtime.config.database
    runtime.notes.append(
        on(f"queries: counted on every connection, slow from {database.slow_query:g} s, N+1 from {database.n_plus_one} runs")
    )


def _follow_libraries(runtime: Runtime) -> None:
    from otelkit.libraries import LIBRARIES, Recording, Steps, follow_libraries
    from otelkit.outbound import Outbound
    from otelkit.tasks.messages import MessageRecorder
    from otelkit.tasks.queues import TaskQueues
    from otelkit.tasks.recorder import TaskRecorder
    from otelkit.websockets.recorder import WebsocketRecorder

    tracer, aggregator, config = runtime.tracer, runtime.aggregator, runtime.config
    outbound = Outbound(tracer, aggregator, config.clients.peers, config.clients.peer_header)
    tasks = TaskRecorder(tracer, aggregator, config.tasks.link_after)
    messages = MessageRecorder(tracer, aggregator, config.tasks.link_after)
    queues = TaskQueues(aggregator, asks=config.tasks.queues)
    websockets = WebsocketRecorder(tracer, aggregator, config.requests, writes_line=config.logs.access)
    steps = Steps(tracer, config.libraries.slow_step)
    recording = Recording(tracer, aggregator, outbound, steps, tasks, messages, queues, websockets)
    runtime.notes.extend(follow_libraries(LIBRARIES, recording, config.libraries, runtime.undo))


def _follow_commands(runtime: Runtime) -> Callable[[], None]:
    from otelkit.commands import CommandRecorder

    recorder = CommandRecorder(runtime.tracer, runtime.aggregator, runtime.config.commands)
    runtime.undo.callback(recorder.switch_off)
    recorder.switch_on()
    return recorder.interrupt


def _follow_requests(runtime: Runtime) -> None:
    config = runtime.config.requests
    if config.engine == "upstream":
        from otelkit.request import upstream

        runtime.notes.extend(upstream.follow_requests(config, runtime.aggregator, runtime.undo))
    else:
        runtime.notes.extend(follow_requests(runtime.engine, config, runtime.undo))


def _write_logs(runtime: Runtime) -> None:
    from otelkit.log_wiring import LogWiring

    emit = runtime.exporter.log if "otlp" in runtime.config.logs.exporters else None
    runtime.log_wiring = LogWiring(_log_settings(runtime.config), runtime.resource, emit)
    runtime.undo.callback(runtime.log_wiring.remove)
    if emit is not None:
        runtime.notes.append(_road(runtime.config, "logs"))
    runtime.notes.extend(runtime.log_wiring.notes)
    if runtime.config.logs.own_level:
        _set_own_level(runtime)


def _log_settings(config: Config) -> Logs:
    """The settings, with what they leave to the process and to what else is on."""
    chosen = config.logs
    stream = ("stderr" if is_command() else "stdout") if chosen.stream == "auto" else chosen.stream
    has_own_line = chosen.access and config.requests.engine == "otelkit"
    return replace(chosen, stream=stream, server_access=chosen.server_access or not has_own_line)


def _set_own_level(runtime: Runtime) -> None:
    for name in ("otelkit", "opentelemetry"):
        own = logging.getLogger(name)
        runtime.undo.callback(own.setLevel, own.level)
        own.setLevel(runtime.config.logs.own_level)


def _measure(runtime: Runtime) -> None:
    from otelkit.metrics import business, django_prometheus, user_instruments
    from otelkit.patterns import gauges
    from otelkit.patterns.auth.django_signals import follow_django

    config = runtime.config.metrics
    if not config.exporters:
        runtime.notes.append(off("metrics: setting metrics.exporters"))
        return
    if "otlp" in config.exporters:
        runtime.notes.append(_road(runtime.config, "metrics"))
    runtime.undo.callback(business.switch_off)
    business.switch_on(runtime.aggregator, strict=config.strict)
    runtime.undo.callback(gauges.switch_off)
    gauges.switch_on(runtime.aggregator)
    runtime.undo.callback(follow_django())
    runtime.undo.callback(user_instruments.switch_off)
    keeps_all = runtime.config.requests.engine == "upstream"
    made_by = user_instruments.switch_on(config.series_cap, runtime.aggregator.overflowed, keeps_all=keeps_all)
    runtime.notes.append(on(f"metrics: OpenTelemetry instruments come from {made_by}"))
    runtime.notes.extend(django_prometheus.follow(config, runtime.aggregator, runtime.undo))


def _serve_metrics(runtime: Runtime) -> None:
    if "prometheus" in runtime.config.metrics.exporters:
        from otelkit.metrics.pull import Pull

        runtime.pull = Pull(runtime.config.metrics, runtime.aggregator, runtime.resource)
        runtime.pull.start()
        runtime.undo.callback(runtime.pull.stop)
        runtime.notes.append(on(f"metrics: {runtime.pull}"))


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
    from otelkit.announcement import PRESENTATION, Announcement

    said = Announcement(_who(runtime), tuple(runtime.notes))
    extra = {"event.name": "otelkit.started", "notes": [str(note) for note in runtime.notes], PRESENTATION: said}
    logger.info("%s", start_line(runtime), extra=extra)


def start_line(runtime: Runtime) -> str:
    """One line: who this is, what leaves it and whereto."""
    config = runtime.config
    roads = {"traces": config.traces.exporters, "metrics": config.metrics.exporters, "logs": config.logs.exporters}
    said = ", ".join(f"{signal} to {'+'.join(exporters) or 'nowhere'}" for signal, exporters in roads.items())
    return f"{_who(runtime)}: {said}; OTLP to {redact_url(config.export.endpoint)}."


def _who(runtime: Runtime) -> str:
    return f"otelkit {otelkit.__version__} observes {runtime.resource['service.name']} ({runtime.config.preset})"
