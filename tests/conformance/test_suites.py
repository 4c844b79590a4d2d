"""The comparison of foreign suites, on a small one of our own: a difference is found, and so is a comparison that is worthless."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conformance.suites.judgement import Judgement, judge
from tests.conformance.suites.outcomes import ABSENT, Outcomes, differences, read
from tests.conformance.suites.running import Run, run

PROJECT = """
import django
from django.conf import settings

settings.configure(
    ROOT_URLCONF="test_answers", ALLOWED_HOSTS=["*"], SECRET_KEY="x", TEST_RUNNER="otelkit_suite.django_runner.Runner", MIDDLEWARE=[]
)
django.setup()
"""
TESTS = """
import logging, os
from django.http import HttpResponse
from django.test import SimpleTestCase, override_settings
from django.urls import path

urlpatterns = [path("", lambda request: HttpResponse("yes", content_type="text/plain"))]

class Answers(SimpleTestCase):
    def test_type(self):
        self.assertEqual(self.client.get("/").headers["Content-Type"], "text/plain")

    @override_settings(MIDDLEWARE=["django.middleware.common.CommonMiddleware"])
    def test_type_with_middleware_of_the_tests_own(self):
        for path in ("/", "/?a=1"):
            with self.subTest(path):
                self.assertEqual(self.client.get(path).headers["Content-Type"], "text/plain")

    async def test_type_in_an_async_project(self):
        self.assertEqual((await self.async_client.get("/")).headers["Content-Type"], "text/plain")

    def test_text(self):
        self.assertEqual(self.client.get("/").content, b"yes")

    def test_that_fails_in_any_case(self):
        self.fail("it does")
"""
REQUESTS = 5


@dataclass(frozen=True)
class Small:
    """Five tests that ask five times; one fails whatever happens. Run by one of the two runners."""

    folder: Path
    runner: str
    more: str = ""
    """A sixth test."""

    def run(self, *, kit: bool, sabotage: bool = False, **environ: str) -> Run:
        """Once."""
        self.folder.joinpath("project.py").write_text(PROJECT)
        self.folder.joinpath("test_answers.py").write_text(TESTS + self.more)
        if self.runner == "pytest":
            self.folder.joinpath("conftest.py").write_text("import project\n")
            command = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "otelkit_suite.pytest_plugin"]
        else:
            runner = "import project, sys; from django.test.utils import get_runner; from django.conf import settings"
            command = ["-c", f"{runner}; sys.exit(bool(get_runner(settings)(verbosity=0).run_tests(['test_answers'])))"]
        results = self.folder / "results"
        return run([sys.executable, *command], self.folder, "small", results, kit=kit, environ={**os.environ, **environ}, sabotage=sabotage)


@dataclass(frozen=True)
class Runs:
    """Of the small suite, by one runner."""

    off: Run
    on: Run
    sabotaged: Run

    def judged(self, on: Run, **inherent: str) -> Judgement:
        """``on`` beside the run without the kit."""
        return judge("small", self.off, on, least_requests=REQUESTS, inherent=inherent)


@pytest.fixture(scope="module", params=["unittest", "pytest"])
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Three of each runner."""
    small = Small(tmp_path_factory.mktemp(request.param), request.param)
    return Runs(small.run(kit=False), small.run(kit=True), small.run(kit=True, sabotage=True))


def test_a_suite_that_the_kit_leaves_alone_passes_and_its_requests_were_seen(runs: Runs) -> None:
    """B9: a test that fails without the kit too is no new failure."""
    judgement = runs.judged(runs.on)

    assert judgement.is_good, judgement.report()
    assert judgement.report() == ""
    assert (runs.on.outcomes.tests, runs.on.outcomes.failing) == (5, 1)
    assert (runs.on.received.requests, len(runs.on.received.processes)) == (REQUESTS, 1)
    assert runs.on.received.lines >= REQUESTS
    assert {"http.server.request.duration", "otelkit.telemetry.created"} <= set(runs.on.received.points)
    assert judgement.summary().startswith("small: 5 tests, 0 new failures with the kit on (1 fails without it too; ")


def test_an_answer_that_the_kit_changes_is_found_test_by_test(runs: Runs) -> None:
    """B9: sabotage in the kit's place, in front of whatever MIDDLEWARE a test sets, sync and async."""
    judgement = runs.judged(runs.sabotaged)

    assert not judgement.is_good
    assert judgement.summary().startswith("small: 5 tests, 3 new failures with the kit on")
    report = judgement.report()
    for name in ("test_type", "test_type_with_middleware_of_the_tests_own [/?a=1]", "test_type_in_an_async_project"):
        assert f"{name}\n  kit off: passed\n  kit on:  failed" in report
    assert "'text/x-sabotaged' != 'text/plain'" in report
    assert "test_text" not in report


def test_a_difference_by_its_nature_is_printed_with_its_reason_and_must_be_one(runs: Runs) -> None:
    """B9: the list of exceptions stays true."""
    text, kind = (next(test for test, part in runs.off.outcomes.of if test.endswith(name)) for name in ("test_text", "test_type"))

    judgement = runs.judged(runs.sabotaged, **{kind: "it asserts the type", text: "it asserts the text", "elsewhere.test": "not run here"})

    assert f"\n  differs by its nature: {kind}: it asserts the type\n" in judgement.summary() + "\n"
    assert kind not in {difference.test for difference in judgement.worse}
    assert judgement.faults == (f"{text} is listed as different by its nature (it asserts the text), and is not.",)


def test_a_test_that_measures_time_may_differ_and_is_named(runs: Runs) -> None:
    """B9: on a busy machine it does, whatever is on; where it does not differ there is nothing to say."""
    text, kind = (next(test for test, part in runs.off.outcomes.of if test.endswith(name)) for name in ("test_text", "test_type"))

    judgement = judge("small", runs.off, runs.sabotaged, least_requests=REQUESTS, inherent={}, timed={kind: "speed", text: "speed"})

    assert f"\n  measures time, and is not compared: {kind}: speed\n" in judgement.summary() + "\n"
    assert text not in judgement.summary()
    assert kind not in {difference.test for difference in judgement.worse}
    assert not judgement.faults


def test_a_run_without_the_kit_proves_nothing_and_fails(tmp_path: Path) -> None:
    """B9: the kit counts as on by the requests whose spans arrived, not by what was configured."""
    off = Small(tmp_path, "unittest").run(kit=True, OTEL_SDK_DISABLED="true")

    judgement = judge("small", off, off, least_requests=REQUESTS, inherent={})

    assert judgement.faults == ("The kit was not on: it followed 0 requests, and 5 are the least to expect.",)
    assert not judgement.worse


def test_a_failure_that_the_kit_hides_is_one_all_the_same(tmp_path: Path) -> None:
    """B9: the kit protects the application from its own errors, so no test shows them; its log does."""
    log = "    def test_log(self):\n        logging.getLogger('otelkit.request').error('could not record')\n"
    on = Small(tmp_path, "unittest", log).run(kit=True)

    assert "The kit complained of itself:\ncould not record" in judge("small", on, on, least_requests=REQUESTS, inherent={}).faults


def test_a_suite_that_breaks_off_is_no_suite_without_differences(tmp_path: Path) -> None:
    """B9: two runs that both died after the same test look alike."""
    dying = Small(tmp_path, "unittest", "    def test_a(self):\n        print('goodbye', flush=True)\n        os._exit(1)\n").run(kit=False)

    (fault, *_) = judge("small", dying, dying, least_requests=0, inherent={}).faults

    assert fault.startswith("With the kit off the suite did not run to its end (exit code 1). It said:")
    assert "goodbye" in fault


def test_tests_that_appear_vanish_or_fail_in_one_more_subtest_are_differences() -> None:
    """B9: the same tests, not only no failure among them."""

    def outcomes(*rows: tuple[str, str, str]) -> Outcomes:
        return read(json.dumps({"test": test, "part": part, "outcome": outcome, "detail": ""}) for test, part, outcome in rows)

    off = outcomes(
        ("same", "", "passed"),
        ("gone", "", "passed"),
        ("skipped", "", "passed"),
        ("mended", "", "failed"),
        ("parts", "", "failed"),
        ("parts", "[one]", "failed"),
    )
    on = outcomes(
        ("same", "", "passed"),
        ("skipped", "", "skipped"),
        ("mended", "", "passed"),
        ("parts", "", "failed"),
        ("parts", "[one]", "failed"),
        ("parts", "[two]", "failed"),
        ("new", "", "passed"),
    )

    found = [(each.test, each.part, each.off, each.on, each.is_worse) for each in differences(off, on)]

    assert found == [
        ("gone", "", "passed", ABSENT, True),
        ("skipped", "", "passed", "skipped", True),
        ("mended", "", "failed", "passed", False),
        ("parts", "[two]", "passed", "failed", True),
        ("new", "", ABSENT, "passed", True),
    ]
