"""What is on, off and skipped, and where each setting comes from: the text of ``otelkit status``."""

from __future__ import annotations

import logging

import otelkit
from otelkit import startup
from otelkit.announcement import rows_of
from otelkit.config import SECTIONS, Config, declared
from otelkit.export.sender import Answer, Verdict
from otelkit.metrics.business import declared as declared_metrics
from otelkit.metrics.business import labels_of
from otelkit.redaction import REDACTED, redact_url, redact_value


class _Nowhere:
    """Takes everything, so that looking sends nothing."""

    def send(self, signal: str, body: bytes, timeout: float) -> Answer:  # noqa: ARG002  (the shape of a sender)
        """Drops the body."""
        return Answer(Verdict.DELIVERED)


def status() -> str:
    """The status of this project. Django must be set up. Raises ConfigError for settings that cannot be used."""
    config = startup.config_of_project()
    if not config.enabled:
        return f"otelkit {otelkit.__version__} is off ({config.sources.get('enabled', 'by its preset')})."
    running = startup.current()
    logging.disable(logging.CRITICAL)  # looking is no event: no start line
    try:
        runtime = running or startup.start(config, sender=_Nowhere())
    finally:
        logging.disable(logging.NOTSET)
    if runtime is None:
        return f"otelkit {otelkit.__version__} could not start; `otelkit doctor` says why."
    try:
        lines = [startup.start_line(runtime), "", "What is set up"]
        lines += [f"  {row}" for row in rows_of(runtime.notes)]
        lines += ["", "Who this is"]
        lines += [f"  {key:<28} {value}" for key, value in runtime.resource.items() if key.startswith(("service.", "deployment."))]
        lines += ["", "Business metrics", *_business_metrics()]
        lines += ["", "Settings"]
        lines += _settings(config)
    finally:
        if running is None:
            startup.stop()
    return "\n".join(lines)


def _business_metrics() -> list[str]:
    from django.urls import get_resolver

    try:
        get_resolver().url_patterns  # noqa: B018  (views are imported with it, and what they declare counts)
    except Exception as error:  # noqa: BLE001  (whatever is wrong in the project's URLs, its status can still be shown)
        return [f"  not known: the project's URLs cannot be imported ({type(error).__name__}: {error})"]
    found = [f"  {metric.name:<28} {metric.kind.value} in {metric.unit}; {labels_of(metric)}" for metric in declared_metrics()]
    return found or ["  none declared"]


def _settings(config: Config) -> list[str]:
    lines = []
    for section, name, _ in declared():
        key = f"{section}.{name}" if section in SECTIONS else name
        value = getattr(getattr(config, section), name) if section in SECTIONS else getattr(config, name)
        origin = config.sources.get(key, f"preset {config.preset}")
        lines.append(f"  {key:<28} {_shown(name, value):<34} {origin}")
    return lines


def _shown(name: str, value: object) -> str:
    if name == "headers" and isinstance(value, dict):
        return ", ".join(f"{key}={REDACTED}" for key in value) or "-"  # a header of an export is there for its token, whatever its name
    if isinstance(value, dict):
        return ", ".join(f"{key}={redact_value(key, item)}" for key, item in value.items()) or "-"
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    if name.endswith("endpoint"):
        return redact_url(str(value))
    return str(redact_value(name, value)) if value != "" else "-"
