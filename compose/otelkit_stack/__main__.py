"""``python -m otelkit_stack``: the stack until Ctrl-C."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from otelkit_stack import TOKEN_VARIABLE
from otelkit_stack.access import LOOPBACK, Access
from otelkit_stack.allocator import keep_to_one_arena
from otelkit_stack.errors import StackError
from otelkit_stack.logql.units import size_bytes
from otelkit_stack.promql import durations
from otelkit_stack.rules.shipped import shipped_rules
from otelkit_stack.server import DEFAULT_PORT, StackServer, serve

_LEAST_S, _LEAST_BYTES = 60.0, 1_000_000
_TURN_S = 0.001
"""How long a thread computes while others wait: a request changes threads three times, and waits for a query's turn each time."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stack; the exit code is 0 after a clean stop, 1 where it could not start."""
    parser = argparse.ArgumentParser(prog="python -m otelkit_stack", description="Receives OTLP/HTTP, keeps it and answers for it.")
    parser.add_argument("--data", type=Path, default=Path("otelkit-data"), metavar="DIR", help="folder of the database (%(default)s)")
    parser.add_argument("--port", type=_port, default=DEFAULT_PORT, help="port to listen on, 0 for any (%(default)s)")
    parser.add_argument(
        "--listen",
        default=LOOPBACK,
        metavar="ADDRESS",
        help="IP address to listen on (%(default)s); other machines, which reach any other, need the token that is printed at the start,"
        f" or that {TOKEN_VARIABLE} holds",
    )
    parser.add_argument(
        "--name",
        action="append",
        default=[],
        metavar="NAME",
        help="answer to this Host, too, and ask for the token. May be given more than once",
    )
    parser.add_argument("--retention-time", type=_seconds, default="7d", metavar="TIME", help="forget what is older (%(default)s)")
    parser.add_argument(
        "--retention-size", type=_bytes, default="4GiB", metavar="SIZE", help="forget the oldest where there is more (%(default)s)"
    )
    parser.add_argument(
        "--rules",
        type=Path,
        action="append",
        metavar="PATH",
        help="file or folder of Prometheus rules; of Loki's where it, or its folder, is called loki. May be given more than once"
        " (the rules that come with otelkit)",
    )
    parser.add_argument("--no-rules", action="store_true", help="evaluate no rules at all")
    parser.add_argument(
        "--alertmanager",
        action="append",
        default=[],
        metavar="URL",
        help="send alerts to this Alertmanager too, such as http://127.0.0.1:9093",
    )
    options = parser.parse_args(arguments)
    sys.setswitchinterval(_TURN_S)
    keep_to_one_arena()
    logging.basicConfig(level=logging.WARNING, format="otelkit stack: %(message)s")
    try:
        access = Access.of(options.listen, options.name, os.environ.get(TOKEN_VARIABLE, ""))
        server = StackServer(
            options.data,
            options.port,
            retention_s=options.retention_time,
            retention_bytes=options.retention_size,
            rules=_rules(options),
            alertmanagers=options.alertmanager,
            access=access,
        )
        serve(server)
    except StackError as error:
        print(f"otelkit stack: {error}", file=sys.stderr)
        return 1
    return 0


def _rules(options: argparse.Namespace) -> list[Path]:
    if options.no_rules:
        return []
    shipped = shipped_rules()
    given: list[Path] | None = options.rules
    return given if given is not None else [shipped] if shipped else []


def _seconds(text: str) -> float:
    try:
        seconds = durations.seconds(durations.parse(text))
    except ValueError:
        seconds = 0.0
    if seconds < _LEAST_S:
        raise argparse.ArgumentTypeError(f"{text!r} is no length of time from 1m up, such as 12h or 7d")
    return seconds


def _bytes(text: str) -> int:
    try:
        size = int(size_bytes(text))
    except ValueError:
        size = 0
    if size < _LEAST_BYTES:
        raise argparse.ArgumentTypeError(f"{text!r} is no size from 1MB up, such as 500MB or 4GiB")
    return size


def _port(text: str) -> int:
    try:
        port = int(text)
    except ValueError:
        port = -1
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: it is a number from 0 to 65535")
    return port


if __name__ == "__main__":
    sys.exit(main())
