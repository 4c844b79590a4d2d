"""``otelkit doctor``: PASS or FAIL for every hop, with the fix."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from otelkit.doctor import Hop, examine

NAME = "doctor"
HELP = "send a marked request and look for it at every hop"

_WORDS = {True: "PASS", False: "FAIL", None: "----"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``--json`` for programs."""
    parser.add_argument("--json", action="store_true", help="print one JSON array instead of lines")


def run(options: argparse.Namespace) -> int:
    """Prints each hop as it becomes known; 1 when one failed."""
    hops: list[Hop] = []
    for hop in examine():
        hops.append(hop)
        if not options.json:
            print(f"{_WORDS[hop.ok]}  {hop.name:<12} {hop.detail}")
            if hop.ok is False and hop.fix:
                print(f"      {'':<12} -> {hop.fix}")
    if options.json:
        print(json.dumps([asdict(hop) for hop in hops], indent=2))
    return 1 if any(hop.ok is False for hop in hops) else 0
