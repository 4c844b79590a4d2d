"""``python -m otelkit_demo.pipeline``: deploy a version, watch what it does to the error budget, and take it back where it burns."""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from otelkit.catalog.objectives import BURN_WINDOWS
from otelkit_demo.errors import DemoError
from otelkit_demo.load import positive
from otelkit_demo.pipeline.burn import Answers, answers_of
from otelkit_demo.pipeline.marker import post_marker

PERIOD = 2.0
"""Seconds between two looks."""
ENOUGH_REQUESTS = 10
"""Fewer requests say nothing: one that failed of three is no evidence."""
FASTEST = max(row.factor for row in BURN_WINDOWS)
"""From this burn rate on somebody is woken; a deploy that reaches it is taken back before."""

_GOOD, _TAKEN_BACK = 0, 1


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the version stays, and why: a sentence."""

    good: bool
    reason: str


def watch(
    look: Callable[[], Answers],
    *,
    seconds: float,
    limit: float = FASTEST,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Verdict:
    """Look for ``seconds``: bad as soon as the budget burns faster than ``limit``, bad too where too few requests came to tell."""
    begin = clock()
    seen = Answers(0, 0)
    while clock() - begin < seconds:
        sleep(PERIOD)
        seen = look()
        if seen.requests >= ENOUGH_REQUESTS and seen.burn > limit:
            failed = f"{seen.failed:.0f} of {seen.requests:.0f} requests failed"
            return Verdict(good=False, reason=f"it burns the error budget {seen.burn:.0f} times too fast: {failed}.")
    if seen.requests < ENOUGH_REQUESTS:
        return Verdict(good=False, reason=f"only {seen.requests:.0f} requests reached it in {seconds:g} s, too few to trust it.")
    return Verdict(good=True, reason=f"{seen.failed:.0f} of {seen.requests:.0f} requests failed.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0 where the version stays, 1 where it was taken back or could not be, with the reason; 2 for a wrong call."""
    options = _parser().parse_args(arguments)
    who = f"{options.service} {options.version}"
    try:
        _mark(options, "started")
        verdict = _tried(options, who)
        if not verdict.good:
            _run(options.rollback)
        _mark(options, "succeeded" if verdict.good else "failed")
    except DemoError as error:
        print(error, file=sys.stderr)
        return _TAKEN_BACK
    print(f"{who} {'stays' if verdict.good else 'is taken back'}: {verdict.reason}")
    return _GOOD if verdict.good else _TAKEN_BACK


def _tried(options: argparse.Namespace, who: str) -> Verdict:
    """What becomes of the version. One that cannot be deployed whole, or not be watched, does not stay."""
    try:
        _run(options.deploy)
        print(f"{who} is deployed; it is watched for {options.watch:g} s.", flush=True)
        return watch(
            lambda: answers_of(options.prometheus, options.service, options.version, options.window),
            seconds=options.watch,
            limit=options.limit,
        )
    except DemoError as error:
        return Verdict(good=False, reason=str(error))


def _mark(options: argparse.Namespace, status: str) -> None:
    post_marker(
        options.otlp, options.service, options.version, status, environment=options.environment, revision=os.environ.get("GITHUB_SHA", "")
    )


def _run(command: str) -> None:
    done = subprocess.run(shlex.split(command), check=False)  # noqa: S603 - the pipeline's own command
    if done.returncode:
        raise DemoError(f"`{command}` ended with exit code {done.returncode}.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m otelkit_demo.pipeline", description=__doc__)
    parser.add_argument("--service", required=True, metavar="NAME", help="service.name of what is deployed")
    parser.add_argument("--version", required=True, metavar="V", help="its new service.version")
    parser.add_argument("--environment", default="production", metavar="NAME", help="deployment.environment.name (%(default)s)")
    parser.add_argument(
        "--deploy", required=True, metavar="COMMAND", help="what deploys the new version beside the old one, without a shell"
    )
    parser.add_argument("--rollback", required=True, metavar="COMMAND", help="what takes the new version back")
    parser.add_argument("--prometheus", required=True, metavar="URL", help="who is asked how the new version does")
    parser.add_argument("--otlp", required=True, metavar="URL", help="OTLP over HTTP: where deploy markers go")
    parser.add_argument("--watch", type=positive, default=600.0, metavar="SECONDS", help="how long to look (%(default)g)")
    parser.add_argument("--window", default="5m", metavar="5m", help="over what time answers are counted (%(default)s)")
    parser.add_argument("--limit", type=positive, default=FASTEST, metavar="N", help="burn rate that is too fast (%(default)g)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
