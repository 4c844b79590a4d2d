"""What is on, off and skipped, and where each setting comes from: what ``otelkit status`` shows."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import otelkit
from otelkit import startup
from otelkit.announcement import rows_of
from otelkit.checks import Project, project_of_this_process, unsilenced
from otelkit.config import SECTIONS, Config, declared
from otelkit.errors import ConfigError
from otelkit.export.sender import Answer, Verdict
from otelkit.metrics.business import declared as declared_metrics
from otelkit.metrics.business import labels_of
from otelkit.redaction import REDACTED, redact_url, redact_value


class _Nowhere:
    """Takes everything, so that looking sends nothing."""

    def send(self, signal: str, body: bytes, timeout: float) -> Answer:  # noqa: ARG002  (the shape of a sender)
        """Drops the body."""
        return Answer(Verdict.DELIVERED)


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as it holds: its value as it may be shown, and what set it."""

    name: str
    value: str
    origin: str


@dataclass(frozen=True, slots=True)
class Status:
    """Everything that there is to say, in the order in which it is read."""

    headline: str
    is_on: bool
    set_up: list[str] = field(default_factory=list)
    """What is on, off and skipped, and why: a sentence each."""
    resource: dict[str, Any] = field(default_factory=dict)
    business_metrics: list[str] = field(default_factory=list)
    findings: dict[str, int] = field(default_factory=dict)
    """Errors and warnings of the system checks that the project has not silenced."""
    settings: list[Setting] = field(default_factory=list)

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def __str__(self) -> str:
        lines = [self.headline]
        if self.is_on:
            lines += ["", "What is set up", *(f"  {row}" for row in rows_of(self.set_up))]
            lines += ["", "Who this is", *(f"  {key:<28} {value}" for key, value in self.resource.items())]
            lines += ["", "Business metrics", *(f"  {said}" for said in self.business_metrics)]
            lines += ["", "Checks", f"  {_counted(self.findings)}"]
        lines += ["", "Settings", *(f"  {one.name:<28} {one.value:<34} {one.origin}" for one in self.settings)]
        return "\n".join(lines)


def _counted(findings: dict[str, int]) -> str:
    if not any(findings.values()):
        return "nothing found"
    said = ", ".join(f"{number} {name if number != 1 else name.removesuffix('s')}" for name, number in findings.items() if number)
    return f"{said}; `manage.py check --tag otelkit` or `otelkit doctor` says which"


def status() -> Status:
    """The status of this project. Django must be set up. Raises ConfigError for settings that cannot be used."""
    project = project_of_this_process()
    if project.problems:
        raise ConfigError(list(project.problems))
    config, settings = project.config, list(_settings(project.config))
    if not config.enabled:
        headline = f"otelkit {otelkit.__version__} is off ({config.sources.get('enabled', 'by its preset')})."
        return Status(headline, is_on=False, settings=settings)
    with _running(config) as runtime:
        if runtime is None:
            headline = f"otelkit {otelkit.__version__} could not start; `otelkit doctor` says why."
            return Status(headline, is_on=False, settings=settings)
        return Status(
            startup.start_line(runtime),
            is_on=True,
            set_up=list(runtime.notes),
            resource={key: value for key, value in runtime.resource.items() if key.startswith(("service.", "deployment."))},
            business_metrics=_business_metrics(),
            findings=_findings(project),
            settings=settings,
        )


@contextmanager
def _running(config: Config) -> Iterator[startup.Runtime | None]:
    """The kit of this process, or one that is started to be looked at, in silence."""
    running = startup.current()
    logging.disable(logging.CRITICAL)  # looking is no event: no start line
    try:
        runtime = running or startup.start(config, sender=_Nowhere())
    finally:
        logging.disable(logging.NOTSET)
    try:
        yield runtime
    finally:
        if running is None:
            startup.stop()


def _findings(project: Project) -> dict[str, int]:
    errors = [check.is_error for check, _ in unsilenced(project)]
    return {"errors": sum(errors), "warnings": len(errors) - sum(errors)}


def _business_metrics() -> list[str]:
    from django.urls import get_resolver

    try:
        get_resolver().url_patterns  # noqa: B018  (views are imported with it, and what they declare counts)
    except Exception as error:  # noqa: BLE001  (whatever is wrong in the project's URLs, its status can still be shown)
        return [f"not known: the project's URLs cannot be imported ({type(error).__name__}: {error})"]
    found = [f"{metric.name:<28} {metric.kind.value} in {metric.unit}; {labels_of(metric)}" for metric in declared_metrics()]
    return found or ["none declared"]


def _settings(config: Config) -> Iterator[Setting]:
    for section, name, _ in declared():
        key = f"{section}.{name}" if section in SECTIONS else name
        value = getattr(getattr(config, section), name) if section in SECTIONS else getattr(config, name)
        yield Setting(key, _shown(name, value), config.sources.get(key, f"preset {config.preset}"))


def _shown(name: str, value: object) -> str:
    if name.endswith("headers") and isinstance(value, dict):
        return ", ".join(f"{key}={REDACTED}" for key in value) or "-"  # a header of an export is there for its token, whatever its name
    if isinstance(value, dict):
        return ", ".join(f"{key}={redact_value(key, item)}" for key, item in value.items()) or "-"
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    if name.endswith("endpoint") or name == "broker":
        return redact_url(str(value))
    return str(redact_value(name, value)) if value != "" else "-"
