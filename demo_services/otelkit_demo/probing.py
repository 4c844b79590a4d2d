"""``python -m otelkit_demo.probing URL ...``: ask each address every few seconds, as the probes of Kubernetes do, until stopped.

A service speaks of its health only while somebody asks.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Sequence
from typing import NoReturn

from otelkit_demo.probe import trouble

INTERVAL = 5.0
"""Seconds between two rounds."""


def probe_for_ever(addresses: Sequence[str]) -> NoReturn:
    """Ask each address each ``INTERVAL``, and print a line when one begins to complain and when it is well again."""
    complaints: dict[str, str | None] = dict.fromkeys(addresses)
    while True:
        for address in addresses:
            complaint = trouble(address)
            if (complaint is None) is not (complaints[address] is None):
                print(complaint or f"{address} is well again", flush=True)
            complaints[address] = complaint
        time.sleep(INTERVAL)


def main(addresses: Sequence[str]) -> int:
    """Returns 0 when stopped by a signal, 2 without an address."""
    if not addresses:
        print("usage: python -m otelkit_demo.probing http://HOST:PORT/PATH ...", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        probe_for_ever(addresses)
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
