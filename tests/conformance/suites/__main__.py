"""Runs each suite twice, with the kit off and on, and says what differs. Exit code 1 where something does."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from tests.conformance.suites.judgement import Judgement, judge
from tests.conformance.suites.running import run
from tests.conformance.suites.sources import CACHE, SourceError, fetched, interpreter
from tests.conformance.suites.suite import SUITES, Suite


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 where every test ended as it did without the kit, 1 where not, 2 where the suites cannot be had."""
    options = _options(arguments)
    suites = [suite for suite in SUITES if options.suite in (None, suite.name)]
    try:
        judgements = [_judge(suite, options) for suite in suites]
    except SourceError as error:
        print(error, file=sys.stderr)
        return 2
    print()
    for judgement in judgements:
        print(judgement.summary())
    return 0 if all(judgement.is_good for judgement in judgements) else 1


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.suites", description=__doc__)
    parser.add_argument("--subset", action="store_true", help="the part that protects main, a few minutes")
    parser.add_argument("--suite", choices=[suite.name for suite in SUITES], help="only this one")
    parser.add_argument("--sabotage", action="store_true", help="change every answer with the kit on, to see that it is found")
    parser.add_argument("labels", nargs="*", metavar="LABEL", help="only these tests, as the suite's own runner names them")
    options = parser.parse_args(arguments)
    if options.labels and options.suite is None:
        parser.error("labels belong to one suite: say which with --suite")
    return options


def _judge(suite: Suite, options: argparse.Namespace) -> Judgement:
    folder = fetched(suite.distribution) / suite.folder
    command = suite.arguments(interpreter(), subset=options.subset, labels=options.labels)
    results = CACHE / "results" / ("labels" if options.labels else "subset" if options.subset else "whole")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "OTELKIT_"))}
    print(f"{suite}: once without the kit, once with it; their output goes to {results}", flush=True)
    off = run(command, folder, suite.name, results, kit=False, environ=environ)
    print(f"  kit off: {off}", flush=True)
    on = run(command, folder, suite.name, results, kit=True, environ=environ, sabotage=options.sabotage)
    print(f"  kit on:  {on}", flush=True)
    least = 1 if options.labels else suite.least_requests
    judgement = judge(str(suite), off, on, least_requests=least, inherent=suite.inherent, timed=suite.timed)
    print(judgement.report(), end="", flush=True)
    return judgement


if __name__ == "__main__":
    sys.exit(main())
