"""The marked request: through the project's own middleware, recorded by the kit, and sent."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from dataclasses import replace

from django.test import RequestFactory
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from otelkit import startup
from otelkit.catalog.metrics import HTTP_SERVER_REQUEST_DURATION
from otelkit.config import Config
from otelkit.doctor.asking import ask
from otelkit.doctor.examination import Examination, quiet_terminal
from otelkit.doctor.hop import Hop, Outcome
from otelkit.doctor.listening import ListeningSender
from otelkit.errors import ConfigError

PATH = "/otelkit-doctor"
"""What the marked request asks for. No project has it, so no view runs; every middleware does."""

_TOLD = 'Take it out of MIDDLEWARE: otelkit puts itself first. By hand, "otelkit.middleware.ObservabilityMiddleware" must be the first.'


def application(examination: Examination) -> Iterator[Hop]:
    """Starts the kit with the project's settings, sends the request through, and lets everything be sent."""
    config = _for_a_person_who_waits(examination.config, examination.timeout)
    examination.undo.enter_context(quiet_terminal())
    examination.sender = ListeningSender(config.export)
    why = _start(examination, config)
    runtime = examination.runtime
    if runtime is None:
        examination.is_over = True
        yield Hop("application", Outcome.FAIL, f"otelkit could not start: {why}", "Correct what it names; the project's own log says more.")
        return
    hop = _request(examination, runtime)
    # Not one of our own loggers, whose lines are never exported.
    logging.getLogger("otelkit_doctor").log(
        logging.getLevelNamesMapping()[config.logs.level], "A marked line of otelkit doctor: %s", examination.mark
    )
    yield hop
    runtime.exporter.flush(3 * examination.timeout + 1)
    examination.trace_id = _trace_of_request(examination.sender.heard["traces"].bodies if "traces" in examination.sender.heard else [])


def _for_a_person_who_waits(config: Config, timeout: float) -> Config:
    """The project's configuration, impatient, off the terminal, and keeping the one trace it is about."""
    ratio = 1.0 if config.traces.sample_ratio > 0 else 0.0  # 0 is a finding, not a matter of luck
    return replace(
        config,
        export=replace(config.export, timeout=min(config.export.timeout, timeout), shutdown_timeout=min(config.export.shutdown_timeout, 1)),
        traces=replace(config.traces, sample_ratio=ratio),
        logs=replace(config.logs, exporters=tuple(name for name in config.logs.exporters if name != "console")),
    )


def _start(examination: Examination, config: Config) -> str:
    """Starts, and gives why that failed, if it did."""
    listener = _Listener()
    logger = logging.getLogger("otelkit")
    logger.addHandler(listener)
    try:
        examination.undo.callback(startup.stop)
        examination.runtime = startup.start(config, sender=examination.sender)
    except ConfigError as error:
        return str(error)
    finally:
        logger.removeHandler(listener)
    return listener.heard


class _Listener(logging.Handler):
    """Keeps the exception of the last record that has one, in words."""

    heard = ""

    def emit(self, record: logging.LogRecord) -> None:
        raised = record.exc_info[1] if record.exc_info else None
        if raised is not None:
            self.heard = f"{type(raised).__name__}: {raised}"


def _request(examination: Examination, runtime: startup.Runtime) -> Hop:
    headers = {"traceparent": f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01", "user-agent": "otelkit-doctor"}
    before = _recorded(runtime)
    middleware = list(examination.project.settings.MIDDLEWARE)
    try:
        status = ask(PATH, headers).status_code
    except Exception as error:  # noqa: BLE001  (whatever the project's middleware raises is the finding)
        detail = f"a request for {PATH} raised {type(error).__name__}: {error}"
        return Hop("application", Outcome.FAIL, detail, "The project's middleware fails; fix that first.")
    said = f"a request for {PATH} was answered {status}"
    if _recorded(runtime) == before:
        return Hop("application", Outcome.FAIL, f"{said}, but otelkit did not see it", _why_unseen(examination, runtime, middleware))
    if status >= 500:
        return Hop("application", Outcome.FAIL, said, "The project fails before any view; its log says why.")
    return Hop("application", Outcome.PASS, f"{said} through {len(middleware)} middlewares")


def _recorded(runtime: startup.Runtime) -> int:
    snapshot = runtime.aggregator.histogram(HTTP_SERVER_REQUEST_DURATION).snapshot(forget_exemplars=False)
    return sum(sum(point.counts) for point in snapshot.histograms)


def _why_unseen(examination: Examination, runtime: startup.Runtime, middleware: list[str]) -> str:
    if runtime.engine.excludes(RequestFactory().get(PATH)):
        return f"{examination.project.where('requests.excluded_paths')} covers {PATH}, and so every path; name the paths themselves."
    if startup.MIDDLEWARE in middleware[1:]:
        above = ", ".join(middleware[: middleware.index(startup.MIDDLEWARE)])
        return f"One of those above it answered: {above}. {_TOLD}"
    return f"Its middleware was not asked. Does something replace MIDDLEWARE after the start? {_TOLD}"


def _trace_of_request(bodies: list[bytes]) -> str:
    """The trace that the request has in what was sent: its own, where incoming headers are not believed."""
    for body in bodies:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    if span.kind == Span.SPAN_KIND_SERVER:
                        return span.trace_id.hex()
    return ""
