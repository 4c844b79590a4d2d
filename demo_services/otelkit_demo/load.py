"""``python -m otelkit_demo.load``: customers, as a bounded stream of requests over weighted journeys.

It runs as a process of its own, so that measuring and loading do not share an interpreter, and compose runs the same command.
The same seed sends the same sequence.
Journeys begin when their time has come, whether or not earlier ones are over, as long as a customer is free.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.cookiejar import CookieJar, DefaultCookiePolicy
from threading import BoundedSemaphore, Event, Lock, Thread
from typing import Any

import httpx

from otelkit_demo.faults import AUTH_BRUTE_FORCE, active_faults
from otelkit_demo.journeys import CHECKOUT, JOURNEYS, Shop, Walk, guess_password
from otelkit_demo.manifest import GATEWAY

FEWEST = 16
"""Customers at once, however few requests they send: more would crowd a shop that has become slow."""
TIMEOUT = httpx.Timeout(10.0, connect=1.0)
USER_AGENT = "otelkit-demo-load"
GUESSES_PER_SECOND = 10


class CountingClient:
    """Asks the gateway and counts what came: statuses, and ``unreachable`` for requests without an answer, with the reason."""

    def __init__(self, target: str, customers: int) -> None:
        # Many customers share the connections, so no cookie of one may be sent for another.
        nobodys = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
        # One is for whoever guesses passwords.
        limits = httpx.Limits(max_connections=customers + 1, max_keepalive_connections=customers + 1)
        # Proxies of the machine are not for neighbours on the loopback.
        self._client = httpx.Client(
            base_url=target, timeout=TIMEOUT, limits=limits, cookies=nobodys, trust_env=False, headers={"user-agent": USER_AGENT}
        )
        self.answers: Counter[str] = Counter()
        self._lock = Lock()

    def get(self, path: str, *, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """The answer to GET. Raises httpx.HTTPError without one."""
        return self._counted("GET", path, params=params, headers=headers)

    def post(self, path: str, *, json: Any = None, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """The answer to POST. Raises httpx.HTTPError without one."""
        return self._counted("POST", path, json=json, headers=headers)

    def count(self, answer: str) -> None:
        """Count one answer."""
        with self._lock:
            self.answers[answer] += 1

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _counted(self, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            answer = self._client.request(method, path, **more)
        except httpx.HTTPError as error:
            self.count(f"unreachable ({type(error).__name__})")
            raise
        self.count(str(answer.status_code))
        return answer


def generate(target: str, *, rate: float, minutes: float | None, seed: int, customers: int | None = None) -> Counter[str]:
    """Send ``rate`` requests a second to ``target``, for ``minutes`` or until interrupted. Returns how often each answer came.

    A status counts under its number; ``unreachable (ConnectError)`` are requests without an answer, by the reason, ``skipped`` journeys
    for which none of the ``customers`` (by default two for each request a second, and ``FEWEST`` at least) was free.
    """
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
    weights = [journey.weight for journey in JOURNEYS]
    # Two for each request a second: a second in which nothing is answered loses no journey.
    customers = customers or max(FEWEST, math.ceil(2 * rate))
    free = BoundedSemaphore(customers)
    client = CountingClient(target, customers)
    shop = Shop(client)
    with ThreadPoolExecutor(customers) as pool, _Guessing(client):
        try:
            # The first customer buys, alone: a whole order is seen soon, and services that never worked yet meet no crowd.
            _go(CHECKOUT.plan(chance), shop)
            due = time.monotonic()
            end = due + minutes * 60 if minutes is not None else float("inf")
            while due < end:
                journey = chance.choices(JOURNEYS, weights)[0]
                time.sleep(max(0.0, due - time.monotonic()))
                walk = journey.plan(chance)
                if free.acquire(blocking=False):
                    pool.submit(_go, walk, shop).add_done_callback(lambda _: free.release())
                else:
                    client.count("skipped")
                # Customers do not come like clockwork.
                due += chance.gammavariate(journey.requests, 1 / rate)
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
    client.close()
    return client.answers


def _go(walk: Walk, shop: Shop) -> None:
    with suppress(httpx.HTTPError):  # counted where it happened
        walk(shop)


class _Guessing:
    """While this context is open, somebody tries passwords whenever the fault ``auth.brute_force`` is set."""

    def __init__(self, client: CountingClient) -> None:
        self._client = client
        self._over = Event()
        self._thread = Thread(target=self._guess, name="guesses", daemon=True)

    def __enter__(self) -> None:
        if active_faults() is not None:
            self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def _guess(self) -> None:
        faults = active_faults()
        assert faults is not None
        while not self._over.wait(1 / GUESSES_PER_SECOND):
            if faults.strikes(AUTH_BRUTE_FORCE):
                with suppress(httpx.HTTPError):  # counted where it happened
                    guess_password(self._client)


def main(arguments: Sequence[str] | None = None) -> int:
    """Send the load, then print how often each answer came. Returns 0, also when stopped by a signal."""
    parser = argparse.ArgumentParser(prog="python -m otelkit_demo.load", description="Customers of the shop.")
    where = os.environ.get("GATEWAY_URL", f"http://127.0.0.1:{GATEWAY.port}")
    parser.add_argument("--target", default=where, metavar="URL", help="the gateway; GATEWAY_URL or %(default)s")
    parser.add_argument("--minutes", type=positive, metavar="N", help="stop after so many; by default at Ctrl-C")
    parser.add_argument("--rate", type=positive, metavar="N", default=4.0, help="requests a second (%(default)g)")
    parser.add_argument("--seed", type=int, metavar="N", default=1, help="the same seed sends the same requests (%(default)s)")
    options = parser.parse_args(arguments)
    # So that the tally is printed however it is stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    answers = generate(options.target, rate=options.rate, minutes=options.minutes, seed=options.seed)
    print(", ".join(f"{count} x {answer}" for answer, count in sorted(answers.items())) or "nothing was sent")
    return 0


def positive(text: str) -> float:
    """A number above 0, for argparse."""
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"must be above 0; it is {text}")
    return number


def not_negative(text: str) -> float:
    """0 or a number above it, for argparse."""
    return 0.0 if float(text) == 0 else positive(text)


if __name__ == "__main__":
    sys.exit(main())
