"""``otelkit status``: what is on, off and skipped, and why."""

from __future__ import annotations

import argparse
import json

from otelkit.status import status

NAME = "status"
HELP = "show what is on, off and skipped, and where each setting comes from"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``--json`` for programs."""
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")


def run(options: argparse.Namespace) -> int:
    """Prints the status."""
    found = status()
    print(json.dumps(found.plain(), indent=2) if options.json else found)
    return 0
