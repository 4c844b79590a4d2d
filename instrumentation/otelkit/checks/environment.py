"""Checks of environment variables that somebody set and nobody reads."""

from __future__ import annotations

from collections.abc import Iterator

from otelkit.checks.check import Finding, Project, check


@check("W010")
def variable_without_effect(project: Project) -> Iterator[Finding]:
    """A variable of OpenTelemetry is set that changes nothing here, or that looks like a slip of the finger."""
    for name, instead in project.config.ignored.items():
        yield Finding(f"The environment variable {name} is set, but changes nothing here.", f"{instead[0].upper()}{instead[1:]}.")


CHECKS = (variable_without_effect,)
