"""The hops of one marked request, in the order that telemetry takes: settings, application, receiver, read-back, scrape."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from time import monotonic, sleep
from typing import Any

import urllib3

from otelkit import startup
from otelkit.catalog.metrics import HTTP_SERVER_REQUEST_DURATION
from otelkit.catalog.naming import series_name
from otelkit.config import Config
from otelkit.errors import ConfigError
from otelkit.export.sender import Answer, Sender, Verdict
from otelkit.export.senders import sender_of
from otelkit.redaction import redact_url

PATH = "/otelkit-doctor"
"""What the marked request asks for. No project has it, so no view runs; every middleware does."""

PATIENCE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Hop:
    """One hop's result. ``ok`` is None where the hop cannot be asked; ``fix`` is what to do when it failed."""

    name: str
    ok: bool | None
    detail: str
    fix: str = ""


class RecordingSender:
    """Sends, and remembers what the receiver answered to each signal."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self.answers: dict[str, Answer] = {}

    def send(self, signal: str, body: bytes, timeout: float) -> Answer:
        """Passes on."""
        answer = self._sender.send(signal, body, timeout)
        self.answers[signal] = answer
        return answer


def examine() -> Iterator[Hop]:
    """Yields each hop as soon as it is known. Django must be set up; a running kit is stopped first."""
    startup.stop()
    try:
        config = startup.config_of_project()
    except ConfigError as error:
        yield Hop("settings", False, str(error), "Correct the names and values above.")
        return
    if not config.enabled:
        yield Hop("settings", False, "otelkit is switched off", f"Take away {config.sources.get('enabled', 'what disables it')}.")
        return
    yield Hop("settings", True, f"preset {config.preset}, {len(config.sources)} settings of your own")
    with _quiet():
        # A person waits, so three seconds must do for each signal.
        export = replace(config.export, timeout=min(config.export.timeout, PATIENCE_SECONDS))
        yield from _examine(replace(config, logs=replace(config.logs, exporters=_without_console(config)), export=export))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps log lines off the terminal, where the hops are being listed; over OTLP they go as ever."""
    taker = logging.NullHandler()
    logging.getLogger().addHandler(taker)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(taker)


def _without_console(config: Config) -> tuple[str, ...]:
    return tuple(name for name in config.logs.exporters if name != "console")


def _examine(config: Config) -> Iterator[Hop]:
    sender = RecordingSender(sender_of(config.export))
    runtime = startup.start(config, sender=sender)
    if runtime is None:
        yield Hop("application", False, "otelkit could not start", "Start the project itself; its log says why.")
        return
    trace_id = secrets.token_hex(16)
    try:
        yield _application(trace_id)
        runtime.exporter.flush(3 * config.export.timeout + 1)
        yield from _receiver(config, sender.answers)
        if all(answer.verdict is Verdict.DELIVERED for answer in sender.answers.values()) and config.traces.exporters:
            yield _read_back(config, trace_id)
        if "prometheus" in config.metrics.exporters:
            yield _scrape()
    finally:
        startup.stop()


def _application(trace_id: str) -> Hop:
    from django.conf import settings
    from django.test import Client

    allowed = [host for host in settings.ALLOWED_HOSTS if "*" not in host]
    host = allowed[0].lstrip(".") if allowed else "localhost"
    headers = {"host": host, "traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-01", "user-agent": "otelkit-doctor"}
    try:
        status = Client(raise_request_exception=False).get(PATH, headers=headers).status_code
    except Exception as error:  # noqa: BLE001  (whatever the project's middleware raises is the finding)
        return Hop(
            "application",
            False,
            f"a request for {PATH} raised {type(error).__name__}: {error}",
            "The project's middleware fails; fix that first.",
        )
    if status >= 500:
        return Hop(
            "application", False, f"a request for {PATH} was answered {status}", "The project fails before any view; its log says why."
        )
    return Hop("application", True, f"a request for {PATH} was answered {status} through {len(settings.MIDDLEWARE)} middlewares")


def _receiver(config: Config, answers: Mapping[str, Answer]) -> Iterator[Hop]:
    sections = {"traces": config.traces.exporters, "metrics": config.metrics.exporters, "logs": config.logs.exporters}
    for signal, exporters in sections.items():
        if "otlp" not in exporters:
            yield Hop(signal, None, "not sent over OTLP")
            continue
        address = redact_url(config.export.address(signal))
        answer = answers.get(signal)
        if answer is None:
            yield Hop(signal, False, f"nothing was sent to {address}", "The project's own log says why.")
        elif answer.verdict is Verdict.DELIVERED and not answer.rejected_items:
            yield Hop(signal, True, f"{address} took them")
        elif answer.verdict is Verdict.DELIVERED:
            yield Hop(
                signal, False, f"{address} refused {answer.rejected_items} items: {answer.detail}", "The receiver's own log says more."
            )
        else:
            yield Hop(signal, False, f"{address}: {answer.detail}", _fix(config, answer))


def _fix(config: Config, answer: Answer) -> str:
    where = config.sources.get("export.endpoint", 'OTELKIT["export"]["endpoint"] or OTEL_EXPORTER_OTLP_ENDPOINT')
    if "refused" in answer.detail or "resolved" in answer.detail:
        return f"Start a collector there (`otelkit stack` is one), or set {where} to where it listens."
    if "did not answer in time" in answer.detail:
        return f"Something listens but does not speak OTLP/HTTP; port 4318 is usual, 4317 is gRPC. The address comes from {where}."
    if "401" in answer.detail or "403" in answer.detail:
        return "Set the token the receiver asks for in OTEL_EXPORTER_OTLP_HEADERS."
    if "exchange failed" in answer.detail:
        return (
            f"Something listens but does not speak HTTP/1.1: port 4317 is gRPC, OTLP/HTTP is usually 4318. The address comes from {where}."
        )
    if "certificate" in answer.detail:
        return f"Is it https at all? If so, let SSL_CERT_FILE name the authority of its certificate. The address comes from {where}."
    if "no OTLP receiver" in answer.detail or "405" in answer.detail or "501" in answer.detail:
        return f"Another program listens there; an OTLP/HTTP receiver usually has port 4318. The address comes from {where}."
    if "404" in answer.detail:
        return f"The endpoint must be the collector's root, without /v1/traces; it comes from {where}."
    return "The receiver's own log says more."


def _read_back(config: Config, trace_id: str) -> Hop:
    """Asks the embedded stack for everything that belongs to the trace. Another receiver cannot be asked this."""
    address = f"{config.export.endpoint.rstrip('/')}/api/otelkit/v1/traces/{trace_id}"
    pool = urllib3.PoolManager(retries=False)
    deadline = monotonic() + PATIENCE_SECONDS
    while (found := _asked_for(pool, address)) == {} and monotonic() < deadline:
        sleep(0.1)  # what the stack acknowledged is visible a moment later
    if found is None:
        return Hop("read back", None, "the receiver is not the embedded stack, so it cannot be asked what it kept")
    spans, logs, exemplars = (len(found.get(part, [])) for part in ("spans", "logs", "exemplars"))
    if not spans:
        return Hop("read back", False, f"trace {trace_id} has no span in the stack", "The stack's log says why it did not keep it.")
    return Hop("read back", True, f"trace {trace_id}: {spans} spans, {logs} log lines, {exemplars} exemplars")


def _asked_for(pool: urllib3.PoolManager, address: str) -> dict[str, Any] | None:
    """The stack's trace, empty where it does not know it (yet); None where this is not the stack, whose 404 is JSON, unlike others'."""
    try:
        answer = pool.request("GET", address, timeout=PATIENCE_SECONDS)
        found = json.loads(answer.data)
    except (urllib3.exceptions.HTTPError, ValueError):
        return None
    if not isinstance(found, dict) or answer.status not in (200, 404):
        return None
    return found if answer.status == 200 else {}


def _scrape() -> Hop:
    from django.test import RequestFactory

    from otelkit.metrics.pull import metrics

    name = series_name(HTTP_SERVER_REQUEST_DURATION)
    body = metrics(RequestFactory().get("/metrics")).content.decode()
    if name in body:
        return Hop("scrape", True, f"the view otelkit.metrics.pull.metrics shows {name}")
    return Hop("scrape", False, f"the view otelkit.metrics.pull.metrics does not show {name}", "Is another registry served at /metrics?")
