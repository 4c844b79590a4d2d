"""Ports on the loopback address: the usual ones where they are free, others where they are not."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from otelkit_demo.errors import DemoError

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class PortWish:
    """Which port somebody is to get. ``asked`` is the one the user insists on, ``usual`` the one tried otherwise."""

    name: str
    usual: int
    asked: int | None = None


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: connections that closed a moment ago keep nobody out, a listener does.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def choose_ports(*wishes: PortWish) -> dict[str, int]:
    """A different free port for each name.

    Raises DemoError for a port that was asked for and is taken, out of range, or asked for twice.
    """
    chosen: dict[str, int] = {}
    # What was insisted on goes first, so that nobody's usual port is in its way.
    for wish in sorted(wishes, key=lambda wish: wish.asked is None):
        if wish.asked is not None:
            chosen[wish.name] = _insisted(wish, chosen)
        elif wish.usual not in chosen.values() and is_free(wish.usual):
            chosen[wish.name] = wish.usual
        else:
            chosen[wish.name] = _any_free(set(chosen.values()))
    return {wish.name: chosen[wish.name] for wish in wishes}


def _insisted(wish: PortWish, chosen: dict[str, int]) -> int:
    port = wish.asked
    assert port is not None
    option = f"--{wish.name}-port"
    if not 1 <= port <= 65535:
        raise DemoError(f"{option} must be between 1 and 65535; it is {port}.")
    for other, taken in chosen.items():
        if taken == port:
            raise DemoError(f"{option} and --{other}-port are both {port}. Give each its own.")
    if not is_free(port):
        raise DemoError(
            f"Port {port} for {wish.name} is taken by another program. Give another with {option}, or leave it out: a free one is found."
        )
    return port


def _any_free(taken: set[int]) -> int:
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.bind((HOST, 0))
            port = int(probe.getsockname()[1])
        if port not in taken:
            return port
