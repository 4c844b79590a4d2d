"""Checks of the addresses that telemetry is sent to, as far as they can be judged without asking."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from otelkit.checks.check import Finding, Project, check
from otelkit.config.export import GRPC
from otelkit.redaction import redact_url

_GRPC_PORT, _HTTP_PORT = 4317, 4318
_SIGNAL_PATH = re.compile(r"(?:/v1/(?:traces|metrics|logs))+/?$")


def without_signal_path(address: str) -> str:
    """The collector's root: the address without the paths of signals, and without a slash at its end."""
    return _SIGNAL_PATH.sub("", address).rstrip("/")


def signals_sent(project: Project) -> list[str]:
    """The signals that leave over OTLP."""
    config = project.config
    roads = {"traces": config.traces.exporters, "metrics": config.metrics.exporters, "logs": config.logs.exporters}
    return [signal for signal, exporters in roads.items() if "otlp" in exporters]


def addresses_in_use(project: Project) -> dict[str, str]:
    """Setting -> address, of those that something is sent to over HTTP."""
    export = project.config.export
    sent = [signal for signal in signals_sent(project) if export.receiver(signal).protocol != GRPC]
    own = {f"export.{signal}_endpoint": str(getattr(export, f"{signal}_endpoint")) for signal in sent}
    found = {setting: address for setting, address in own.items() if address}
    if len(found) < len(sent):
        found["export.endpoint"] = export.endpoint
    return found


@check("W020")
def port_of_grpc(project: Project) -> Iterator[Finding]:
    """An endpoint is on port 4317, where collectors expect gRPC, and the protocol is HTTP, which usually has port 4318."""
    for setting, address in addresses_in_use(project).items():
        if urlsplit(address).port == _GRPC_PORT:
            shown = redact_url(address)
            yield Finding(
                f"{project.where(setting)} is {shown}, but 4317 is the port of OTLP over gRPC, and the protocol is HTTP.",
                f"Use the collector's port for HTTP, usually {_HTTP_PORT}: {shown.replace(f':{_GRPC_PORT}', f':{_HTTP_PORT}', 1)}",
            )


@check("W021")
def path_of_a_signal(project: Project) -> Iterator[Finding]:
    """The endpoint ends in /v1/traces or the like, which the kit adds itself, so that everything is sent to a path that is none."""
    address = addresses_in_use(project).get("export.endpoint", "")
    if _SIGNAL_PATH.search(urlsplit(address).path):
        posted = redact_url(project.config.export.address(signals_sent(project)[0]))
        yield Finding(
            f"{project.where('export.endpoint')} is {redact_url(address)}, and the path of each signal is added to it: "
            f"telemetry goes to {posted}.",
            f"Take the path away: {without_signal_path(redact_url(address))}",
        )


@check("W022")
def address_of_a_signal_without_its_path(project: Project) -> Iterator[Finding]:
    """The address of one signal (OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, ...) has no path, or another signal's; nothing is added to it."""
    for setting, address in addresses_in_use(project).items():
        if setting == "export.endpoint":
            continue
        signal = setting.removeprefix("export.").removesuffix("_endpoint")
        path = urlsplit(address).path.rstrip("/")
        found = _SIGNAL_PATH.search(path)
        if not path or (found and found[0] != f"/v1/{signal}"):
            shown = redact_url(address)
            right = without_signal_path(shown)
            yield Finding(
                f"{project.where(setting)} is {shown}, and is used as it is: {signal} are posted to {path or '/'}.",
                f"Write the whole address, {right}/v1/{signal}; or set OTEL_EXPORTER_OTLP_ENDPOINT={right}, to which the path is added.",
            )


CHECKS = (port_of_grpc, path_of_a_signal, address_of_a_signal_without_its_path)
