"""Django's own test runner, for suites of unittest cases."""

# ruff: noqa: N802  (the names are those of unittest)
from __future__ import annotations

import traceback
from typing import Any
from unittest import TestCase, TextTestResult

from django.test.runner import DiscoverRunner

from otelkit_suite import kit, outcomes


class Result(TextTestResult):
    """Writes down what the runner reports. With parallel workers that is told again in the main process, which is where this runs."""

    def stopTestRun(self) -> None:
        super().stopTestRun()
        outcomes.end()

    def addSuccess(self, test: TestCase) -> None:
        super().addSuccess(test)
        outcomes.write(test.id(), "passed")

    def addError(self, test: TestCase, err: Any) -> None:
        super().addError(test, err)
        outcomes.write(test.id(), "error", detail=_text(err))

    def addFailure(self, test: TestCase, err: Any) -> None:
        super().addFailure(test, err)
        outcomes.write(test.id(), "failed", detail=_text(err))

    def addSubTest(self, test: TestCase, subtest: TestCase, err: Any) -> None:
        super().addSubTest(test, subtest, err)
        if err is not None:  # those that pass are not told by parallel workers
            outcome = "failed" if issubclass(err[0], test.failureException) else "error"
            outcomes.write(test.id(), outcome)
            outcomes.write(test.id(), outcome, part=subtest.id()[len(test.id()) :].strip(), detail=_text(err))

    def addSkip(self, test: TestCase, reason: str) -> None:
        super().addSkip(test, reason)
        outcomes.write(test.id(), "skipped", detail=reason)

    def addExpectedFailure(self, test: TestCase, err: Any) -> None:
        super().addExpectedFailure(test, err)
        outcomes.write(test.id(), "xfailed")

    def addUnexpectedSuccess(self, test: TestCase) -> None:
        super().addUnexpectedSuccess(test)
        outcomes.write(test.id(), "xpassed")


class Runner(DiscoverRunner):
    """Switches the kit on before the tests are found, the databases made and the workers forked."""

    def setup_test_environment(self, **kwargs: Any) -> None:
        super().setup_test_environment(**kwargs)
        kit.switch_on()

    def get_resultclass(self) -> type[TextTestResult]:
        return Result


def _text(err: Any) -> str:
    return "".join(traceback.format_exception(*err))
