"""``python -m otelkit_stack``: the stack until Ctrl-C."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from otelkit_stack.errors import StackError
from otelkit_stack.server import DEFAULT_PORT, serve


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stack; the exit code is 0 after a clean stop, 1 where it could not start."""
    parser = argparse.ArgumentParser(prog="python -m otelkit_stack", description="Receives OTLP/HTTP and shows it, on this machine only.")
    parser.add_argument("--data", type=Path, default=Path("otelkit-data"), metavar="DIR", help="folder of the database (%(default)s)")
    parser.add_argument("--port", type=_port, default=DEFAULT_PORT, help="port of 127.0.0.1 to listen on, 0 for any (%(default)s)")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="otelkit stack: %(message)s")
    try:
        serve(options.data, options.port)
    except StackError as error:
        print(f"otelkit stack: {error}", file=sys.stderr)
        return 1
    return 0


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
