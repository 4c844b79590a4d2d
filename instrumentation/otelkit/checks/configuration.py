"""Checks of what the settings amount to: who this is, what leaves, and what is left out."""

from __future__ import annotations

from collections.abc import Iterator

from otelkit.checks.check import Finding, Project, check
from otelkit.identity import service_name

_AT_A_DESK = ("development", "test")
_IN_PRODUCTION = ("production", "high_traffic")


@check("E001")
def unusable_settings(project: Project) -> Iterator[Finding]:
    """A setting or an environment variable cannot be used: an unknown name, or a value that makes no sense.
    The kit does not start with it, and a server stops with the same sentence."""
    for problem in project.problems:
        yield Finding(problem, "SETTINGS.md of otelkit lists every setting, with what it may be and its environment variable.")


@check("W001")
def no_service_name(project: Project) -> Iterator[Finding]:
    """The service has no name of its own, so it has that of a Python package, or none.
    Every series, trace and line carries it, and it changes with the code. Silent while developing, where a found name is good enough."""
    if project.config.service.name:
        return
    found = service_name(project.config.service)
    if found == "unknown_service" or project.config.preset not in _AT_A_DESK:
        yield Finding(
            f'The service has no name of its own; telemetry calls it "{found}", after ROOT_URLCONF.',
            'Set OTEL_SERVICE_NAME, or OTELKIT = {"service": {"name": "..."}}.',
        )


@check("W002")
def debug_in_production(project: Project) -> Iterator[Finding]:
    """DEBUG is on together with a preset for production.
    Django then keeps the SQL of up to 9,000 queries per connection in memory, and error pages show settings."""
    preset = project.config.preset
    if project.settings.DEBUG and preset in _IN_PRODUCTION:
        chosen_by = "OTELKIT_PRESET" if project.environ.get("OTELKIT_PRESET") else 'OTELKIT["preset"]'
        yield Finding(
            f'DEBUG is True, but {chosen_by} is "{preset}": Django keeps the SQL of each query in memory.',
            'Set DEBUG = False, or take the preset "development".',
        )


@check("W003")
def nothing_leaves(project: Project) -> Iterator[Finding]:
    """No signal has an exporter, so nothing leaves the process."""
    config = project.config
    if config.preset != "test" and not (config.traces.exporters or config.metrics.exporters or config.logs.exporters):
        places = ", ".join(project.where(f"{signal}.exporters") for signal in ("traces", "metrics", "logs"))
        yield Finding(
            f"Nothing leaves this process: neither traces nor metrics nor logs have an exporter ({places}).",
            "Give one of them an exporter, or switch the kit off with OTELKIT_ENABLED=false, which costs less.",
        )


@check("W004")
def no_trace_begins(project: Project) -> Iterator[Finding]:
    """The sample ratio is 0: there are traces only where a caller decided to keep one."""
    traces = project.config.traces
    if traces.exporters and traces.sample_ratio == 0:
        yield Finding(
            f"{project.where('traces.sample_ratio')} is 0, so no trace begins here; only those that a caller keeps are recorded.",
            "Set a ratio above 0, for example 0.01; or OTEL_TRACES_EXPORTER=none where traces are not wanted.",
        )


@check("W005")
def everything_is_excluded(project: Project) -> Iterator[Finding]:
    """The excluded paths cover every path, so no request has telemetry."""
    if "/" in project.config.requests.excluded_paths:
        yield Finding(
            f'{project.where("requests.excluded_paths")} holds "/", which covers every path: no request has telemetry.',
            'Name the paths themselves; one that ends in "/" covers everything below it.',
        )


CHECKS = (unusable_settings, no_service_name, debug_in_production, nothing_leaves, no_trace_begins, everything_is_excluded)
