"""``python -m otelkit_demo.stack_ready``: wait until every part of the compose stack answers, then say how long each took.

What to wait for is in the environment, one ``READY_<NAME>=http://host:port/path`` each. An empty value leaves the part out, so a
layered compose file can take away what it does not start.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from otelkit_demo.probe import trouble

PREFIX = "READY_"
INTERVAL = 0.25
"""Seconds between two questions: the precision of the table."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the stack, and the address that tells whether it is ready."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Wait:
    """How the wait went: seconds until each part answered, and the last complaint of those that never did."""

    seconds: Mapping[str, float]
    complaints: Mapping[str, str]


def parts(environment: Mapping[str, str]) -> tuple[Part, ...]:
    """The parts that the environment names, in its order, without those whose address is empty."""
    return tuple(
        Part(name.removeprefix(PREFIX).lower().replace("_", "-"), url)
        for name, url in environment.items()
        if name.startswith(PREFIX) and url
    )


def wait_for(wanted: Sequence[Part], *, timeout: float) -> Wait:
    """Ask every part, all at once, until each has answered or ``timeout`` seconds have passed."""
    start = time.monotonic()
    # In threads: one part that is slow to say no must not add to what the others are said to take.
    with ThreadPoolExecutor(len(wanted), thread_name_prefix="wait") as pool:
        outcomes = list(pool.map(lambda part: wait_for_one(part, start=start, timeout=timeout), wanted))
    named = list(zip((part.name for part in wanted), outcomes, strict=True))
    return Wait(
        {name: outcome for name, outcome in named if isinstance(outcome, float)},
        {name: outcome for name, outcome in named if isinstance(outcome, str)},
    )


def wait_for_one(
    part: Part,
    *,
    start: float,
    timeout: float,
    ask: Callable[[str], str | None] = trouble,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> float | str:
    """Seconds from ``start`` to the part's first good answer, or its last complaint after ``timeout`` seconds."""
    while True:
        reason = ask(part.url)
        elapsed = clock() - start
        if reason is None:
            return elapsed
        if elapsed >= timeout:
            return reason
        sleep(INTERVAL)


def table(wait: Wait) -> str:
    """One line a part, the fastest first: its name, and the seconds it took or what it last said."""
    width = max(map(len, (*wait.seconds, *wait.complaints)))
    lines = [f"{name:<{width}}  {seconds:6.1f} s" for name, seconds in sorted(wait.seconds.items(), key=lambda item: item[1])]
    lines += [f"{name:<{width}}   never   {complaint}" for name, complaint in wait.complaints.items()]
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Exit code: 0 when every part is ready, 1 when one is not in time, 2 when there is nothing to wait for."""
    parser = argparse.ArgumentParser(prog="python -m otelkit_demo.stack_ready", description=__doc__)
    parser.add_argument("--timeout", type=float, default=240.0, help="seconds to wait for all parts together (default: %(default)g)")
    timeout: float = parser.parse_args(arguments).timeout
    wanted = parts(os.environ)
    if not wanted:
        print(f"Nothing to wait for: no {PREFIX}<NAME> variable holds an address.", file=sys.stderr)
        return 2
    wait = wait_for(wanted, timeout=timeout)
    print(f"Seconds until each part answered:\n{table(wait)}", flush=True)
    if wait.complaints:
        names = " ".join(wait.complaints)
        print(f"Not ready after {timeout:g} s: {names}. See why with: docker compose logs {names}", file=sys.stderr)
        return 1
    print("The stack is ready.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
