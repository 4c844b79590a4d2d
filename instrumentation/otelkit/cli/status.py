"""``otelkit status``: what is on, off and skipped, and why."""

from __future__ import annotations

import argparse

from otelkit.status import status

NAME = "status"
HELP = "show what is on, off and skipped, and where each setting comes from"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It has none."""


def run(options: argparse.Namespace) -> int:  # noqa: ARG001  (one shape for every command)
    """Prints the status."""
    print(status())
    return 0
