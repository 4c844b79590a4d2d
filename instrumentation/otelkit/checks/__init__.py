"""Django system checks ``otelkit.E…`` and ``otelkit.W…``: what is wrong with a project's telemetry, and the way on.

To add one: a function with an id and a docstring in the file of its subject, its name in that file's ``CHECKS``, ``make generate`` for
CHECKS.md, and a test that shows it beside its silent twin.
"""

from otelkit.checks.check import Check, Finding, Project
from otelkit.checks.reporting import CHECKS, findings, project_of_this_process, report, unsilenced

__all__ = ["CHECKS", "Check", "Finding", "Project", "findings", "project_of_this_process", "report", "unsilenced"]
