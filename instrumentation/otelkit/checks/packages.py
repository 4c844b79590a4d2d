"""Checks of other packages: those that the settings ask for, and those that do the same work a second time."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.util import find_spec

from otelkit.checks.check import Finding, Project, check
from otelkit.libraries import LIBRARIES
from otelkit.metrics.django_prometheus import places

_UPSTREAM = "opentelemetry.instrumentation.django"


@check("E004")
def engine_is_not_installed(project: Project) -> Iterator[Finding]:
    """The setting requests.engine is "upstream", but opentelemetry-instrumentation-django is not installed. The kit does not start."""
    if project.config.requests.engine == "upstream" and not _is_installed(_UPSTREAM):
        yield Finding(
            f'{project.where("requests.engine")} is "upstream", but opentelemetry-instrumentation-django is not installed.',
            "Install it with:  pip install 'otelkit[upstream]'   or take the setting out.",
        )


@check("E005")
def library_is_not_installed(project: Project) -> Iterator[Finding]:
    """A library that the setting clients.libraries asks for is not installed, so its calls cannot be traced."""
    if not project.is_chosen("clients.libraries"):
        return  # the preset names what is followed where it is installed
    where = project.where("clients.libraries")
    for library in LIBRARIES:
        if library.name in project.config.clients.libraries and not library.is_installed():
            yield Finding(
                f'"{library.name}" is in {where}, but it is not installed.',
                f"Install it with:  pip install {library.name}   or take it out of the list.",
            )


@check("W040")
def another_tracer(project: Project) -> Iterator[Finding]:
    """Another package traces requests as well: where neither stands down, each has two spans or two traces, and costs twice.
    Sentry is fine as long as it reports errors without tracing."""
    for name, stop_it in _tracers(project):
        yield Finding(f"{name} is active as well as otelkit, and both trace requests.", f"Keep one: {stop_it}")


def _tracers(project: Project) -> Iterator[tuple[str, str]]:
    """Those that are active, each with how to switch it off."""
    listed = [str(name) for name in project.settings.MIDDLEWARE]
    if project.config.requests.engine == "otelkit" and any(name.startswith(f"{_UPSTREAM}.") for name in listed):
        yield (
            "opentelemetry-instrumentation-django (DjangoInstrumentor)",
            "take DjangoInstrumentor().instrument() out, or set OTELKIT_REQUESTS_ENGINE=upstream for its spans in place of ours.",
        )
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


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:  # a parent package is missing
        return False


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


CHECKS = (engine_is_not_installed, library_is_not_installed, another_tracer, django_prometheus_counts_too)
