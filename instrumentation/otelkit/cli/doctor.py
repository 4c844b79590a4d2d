"""``otelkit doctor``: PASS or FAIL for every hop, with the fix."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from otelkit.doctor import PATIENCE_SECONDS, STEPS, Hop, Outcome, examine, exit_code

NAME = "doctor"
HELP = "send a marked request and look for it at every hop"

_WORDS = {Outcome.PASS: "PASS", Outcome.WARN: "WARN", Outcome.FAIL: "FAIL", Outcome.SKIP: "----"}
_INDENT = " " * 19


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``--json`` for programs, ``--timeout`` for the impatient."""
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")
    parser.add_argument(
        "--timeout", type=_seconds, default=PATIENCE_SECONDS, metavar="SECONDS", help="wait so long for each answer (default: %(default)g)"
    )
    codes = ", ".join(f"{step.exit_code} {step.name}" for step in STEPS)
    parser.epilog = f"Exit code: 0 where no hop failed, otherwise that of the first one that did: {codes}."


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.1 <= seconds <= 300:
        raise argparse.ArgumentTypeError(f"must be a number of seconds from 0.1 to 300; it is {text!r}")
    return seconds


def run(options: argparse.Namespace) -> int:
    """Prints each hop as it becomes known; gives the exit code."""
    hops: list[Hop] = []
    for hop in examine(options.timeout):
        hops.append(hop)
        if not options.json:
            print(_line(hop), flush=True)
    code = exit_code(hops)
    if options.json:
        print(json.dumps({"exit_code": code, "hops": [asdict(hop) for hop in hops]}, indent=2))
    return code


def _line(hop: Hop) -> str:
    first = f"{_WORDS[hop.outcome]}  {hop.name:<12} {hop.detail}".replace("\n", f"\n{_INDENT}")
    return f"{first}\n{_INDENT}fix: {hop.fix}" if hop.fix else first
