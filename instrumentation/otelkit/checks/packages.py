"""Checks of other packages: those that the settings ask for, and those that do the same work a second time."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from otelkit.checks.check import Finding, Project, check
from otelkit.installed import is_installed
from otelkit.libraries import LIBRARIES
from otelkit.metrics.django_prometheus import places

_UPSTREAM = "opentelemetry.instrumentation.django"


@check("E004")
def engine_is_not_installed(project: Project) -> Iterator[Finding]:
    """The setting requests.engine is "upstream", but opentelemetry-instrumentation-django is not installed. The kit does not start."""
    if project.config.requests.engine == "upstream" and not is_installed(_UPSTREAM):
        yield Finding(
            f'{project.where("requests.engine")} is "upstream", but opentelemetry-instrumentation-django is not installed.',
            "Install it with:  pip install 'otelkit[upstream]'   or take the setting out.",
        )


@check("E005")
def library_is_not_installed(project: Project) -> Iterator[Finding]:
    """A library that the setting libraries.required asks for is not installed, so it cannot be followed."""
    where = project.where("libraries.required")
    for library in LIBRARIES:
        if library.name in project.config.libraries.required and not library.is_installed():
            yield Finding(
                f'"{library.name}" is in {where}, but it is not installed.',
                f"Install it with:  pip install {library.fact.package}   or take it out of the list.",
            )


@check("E007")
def library_is_required_and_disabled(project: Project) -> Iterator[Finding]:
    """A library stands in libraries.required and in libraries.disabled, which contradict each other; it is not followed."""
    settings = project.config.libraries
    for name in settings.required:
        if name in settings.disabled:
            yield Finding(
                f'"{name}" is in {project.where("libraries.required")} and in {project.where("libraries.disabled")}.',
                "Take it out of one of them.",
            )


@check("W041")
def library_is_followed_twice(project: Project) -> Iterator[Finding]:
    """OpenTelemetry's instrumentation of a library is active beside ours. Calls have one span all the same, but each costs twice."""
    for library in LIBRARIES:
        upstream = library.fact.upstream
        if not upstream or library.name in project.config.libraries.disabled or not is_active(upstream):
            continue
        yield Finding(
            f"opentelemetry-instrumentation-{upstream} is active, and otelkit follows {library.name} as well.",
            f"Keep one: take its instrument() out, or set OTEL_PYTHON_DISABLED_INSTRUMENTATIONS={upstream} for opentelemetry-instrument; "
            f'or set OTELKIT["libraries"]["disabled"] = ["{library.name}"].',
        )


@check("W042")
def library_is_too_old(project: Project) -> Iterator[Finding]:
    """A library is installed in a version that otelkit cannot follow, so its calls are missing from traces and metrics."""
    for library in LIBRARIES:
        fact = library.fact
        if not fact.least or library.name in project.config.libraries.disabled:
            continue
        found = _version_of(fact.package)
        if found and _numbers(found) < _numbers(fact.least):
            yield Finding(
                f"{fact.package} {found} is installed, and otelkit follows it from {fact.least} on.",
                f"Update it:  pip install '{fact.package}>={fact.least}'   or say that it is left alone: "
                f'OTELKIT["libraries"]["disabled"] = ["{library.name}"].',
            )


@check("W040")
def another_tracer(project: Project) -> Iterator[Finding]:
    """Another package traces requests as well: each has two spans or two traces, and costs twice. OpenTelemetry's own instrumentations are
    none, as they stand down by themselves; Sentry is none as long as it reports errors without tracing."""
    for name, stop_it in _tracers(project):
        yield Finding(f"{name} is active as well as otelkit, and both trace requests.", f"Keep one: {stop_it}")


def _tracers(project: Project) -> Iterator[tuple[str, str]]:
    """Those that are active, each with how to switch it off."""
    listed = [str(name) for name in project.settings.MIDDLEWARE]
    elastic = getattr(project.settings, "ELASTIC_APM", None) or {}
    is_on = elastic.get("ENABLED", project.environ.get("ELASTIC_APM_ENABLED", "true").lower() != "false")
    if is_on and any(name.startswith("elasticapm.") for name in listed):
        yield "elastic-apm", 'take "elasticapm.contrib.django" out of INSTALLED_APPS, or set ELASTIC_APM = {"ENABLED": False}.'
    if _datadog_is_active():
        yield "ddtrace", "start the server without ddtrace-run, or set DD_TRACE_ENABLED=false."
    if _sentry_traces():
        yield "sentry-sdk", "leave traces_sample_rate and traces_sampler out of sentry_sdk.init(); errors are reported without them."


def _datadog_is_active() -> bool:
    # The mark that its patch leaves on Django, so that merely importing the package does not count.
    django, datadog = sys.modules.get("django"), sys.modules.get("ddtrace.trace")
    return bool(getattr(django, "_datadog_patch", False)) and bool(getattr(getattr(datadog, "tracer", None), "enabled", True))


def _sentry_traces() -> bool:
    sentry = sys.modules.get("sentry_sdk")
    if sentry is None:
        return False
    options = getattr(sentry.get_client(), "options", None) or {}
    return bool(options.get("traces_sample_rate") or options.get("traces_sampler"))


def is_active(upstream: str) -> bool:
    """Whether this instrumentation of OpenTelemetry was started; it is not imported to find out."""
    module = sys.modules.get(f"{_UPSTREAM.rpartition('.')[0]}.{upstream.replace('-', '_')}")
    found = [value for name, value in vars(module).items() if name.endswith("Instrumentor")] if module else []
    return any(getattr(getattr(kind, "_instance", None), "is_instrumented_by_opentelemetry", False) for kind in found)


def _version_of(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _numbers(text: str) -> tuple[int, ...]:
    """``3.10.1rc2`` as (3, 10, 1), to compare."""
    return tuple(int(number) for number in re.findall(r"\d+", text)[:3])


@check("W045")
def django_prometheus_counts_too(project: Project) -> Iterator[Finding]:
    """django-prometheus counts the same requests, queries and migrations as otelkit, under names of its own. Both are right; both cost."""
    if found := places(project.settings):
        emulates = project.config.metrics.django_prometheus == "emulate"
        where = project.where("metrics.django_prometheus")
        yield Finding(
            f"django-prometheus counts what otelkit counts as well ({', '.join(found)})"
            + (f', and {where} is "emulate", which does nothing beside it.' if emulates else "."),
            "Boards that read its names go on without it: take it out"
            + (". " if emulates else f' and set {where} to "emulate". ')
            + "As long as it stays, PROMETHEUS_EXPORT_MIGRATIONS = False lets the service start while its database is down.",
        )


CHECKS = (
    engine_is_not_installed,
    library_is_not_installed,
    library_is_required_and_disabled,
    another_tracer,
    library_is_followed_twice,
    library_is_too_old,
    django_prometheus_counts_too,
)
