"""The same for suites that run under pytest: ``-p otelkit_suite.pytest_plugin``."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.hookimpl(trylast=True)
def pytest_sessionstart() -> None:
    """After every conftest has configured Django."""
    # Not before: importing Django's settings and the kit is the suite's to time.
    from otelkit_suite import kit

    kit.switch_on()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Setup, call and teardown of a test, and each subtest."""
    from otelkit_suite import outcomes

    part = _part(getattr(report, "context", None))
    expected = hasattr(report, "wasxfail")
    if report.failed:
        outcome = "failed" if report.when == "call" else "error"
        if part:
            outcomes.write(report.nodeid, outcome)
        outcomes.write(report.nodeid, outcome, part=part, detail=report.longreprtext)
    elif report.skipped:
        outcomes.write(report.nodeid, "xfailed" if expected else "skipped", part=part)
    elif report.when == "call":
        outcomes.write(report.nodeid, "xpassed" if expected else "passed", part=part)


def pytest_sessionfinish() -> None:
    """The suite ran to its end."""
    from otelkit_suite import outcomes

    outcomes.end()


def _part(context: Any) -> str:
    """A subtest's description, in unittest's spelling; empty for what is no subtest."""
    if context is None:
        return ""
    return " ".join([f"[{context.msg}]"] * (context.msg is not None) + [f"({key}={value!r})" for key, value in context.kwargs.items()])
