"""``python -m otelkit_demo.load``: customers, as a bounded stream of requests over weighted journeys.

It runs as a process of its own, so that measuring and loading do not share an interpreter, and compose runs the same command.
The same seed sends the same sequence.
Requests are sent when their time has come, whether or not earlier ones are answered, up to ``CUSTOMERS`` at once.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import BoundedSemaphore, Lock

import httpx

CUSTOMERS = 8
TIMEOUT = httpx.Timeout(10.0, connect=1.0)
HEADERS = {"user-agent": "otelkit-demo-load", "baggage": "synthetic=true"}
"""The baggage says to every service on the way that no real customer waits."""

SKUS = ("tea-assam", "tea-sencha", "cup-stoneware", "kettle-copper", "scale-pocket", "teapot-signed")
SKU_WEIGHTS = (30, 30, 20, 10, 9, 1)

Journey = Callable[["Shop", random.Random], Callable[[], httpx.Response]]


@dataclass(slots=True)
class Shop:
    """The shop as a customer sees it, and the newest order that a customer placed."""

    client: httpx.Client
    newest: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    _lock: Lock = field(default_factory=Lock)

    def count(self, answer: str) -> None:
        """Count one answer: a status, ``unreachable`` or ``skipped``."""
        with self._lock:
            self.answers[answer] += 1


def place_order(shop: Shop, chance: random.Random) -> Callable[[], httpx.Response]:
    """Order one to three of something; the signed teapot sells out."""
    wish = {"sku": chance.choices(SKUS, SKU_WEIGHTS)[0], "quantity": chance.randint(1, 3)}

    def go() -> httpx.Response:
        response = shop.client.post("/orders", json=wish)
        if response.status_code == httpx.codes.CREATED:
            shop.newest = max(shop.newest, response.json()["id"])
        return response

    return go


def read_order(shop: Shop, chance: random.Random) -> Callable[[], httpx.Response]:
    """Look at one of the orders so far."""
    share = chance.random()
    return lambda: shop.client.get(f"/orders/{1 + int(share * shop.newest)}")


def list_orders(shop: Shop, chance: random.Random) -> Callable[[], httpx.Response]:
    """List the newest orders of one SKU."""
    sku = chance.choice(SKUS)
    return lambda: shop.client.get("/orders", params={"sku": sku})


def miss(shop: Shop, chance: random.Random) -> Callable[[], httpx.Response]:
    """Ask for an order that is not there."""
    pk = chance.randint(10_000_000, 99_999_999)
    return lambda: shop.client.get(f"/orders/{pk}")


JOURNEYS: tuple[tuple[Journey, int], ...] = ((place_order, 50), (read_order, 30), (list_orders, 15), (miss, 5))
"""What customers do, and how often in a hundred times."""


def generate(target: str, *, rate: float, minutes: float | None, seed: int) -> Counter[str]:
    """Send ``rate`` requests a second to ``target``, for ``minutes`` or until interrupted. Returns how often each answer came.

    A status counts under its number; ``unreachable`` are requests without an answer, ``skipped`` those for which nobody
    was free, because ``CUSTOMERS`` others still waited.
    """
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
    journeys, weights = zip(*JOURNEYS, strict=True)
    free = BoundedSemaphore(CUSTOMERS)
    begin = time.monotonic()
    end = begin + minutes * 60 if minutes is not None else float("inf")
    due = begin
    # Proxies of the machine are not for neighbours on the loopback.
    with httpx.Client(base_url=target, timeout=TIMEOUT, headers=HEADERS, trust_env=False) as client, ThreadPoolExecutor(CUSTOMERS) as pool:
        shop = Shop(client)
        try:
            while due < end:
                time.sleep(max(0.0, due - time.monotonic()))
                step = chance.choices(journeys, weights)[0](shop, chance)
                if free.acquire(blocking=False):
                    pool.submit(_walk, shop, step, free)
                else:
                    shop.count("skipped")
                # Customers do not come like clockwork.
                due += chance.expovariate(rate)
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
    return shop.answers


def _walk(shop: Shop, step: Callable[[], httpx.Response], free: BoundedSemaphore) -> None:
    try:
        shop.count(str(step().status_code))
    except httpx.HTTPError:
        shop.count("unreachable")
    finally:
        free.release()


def main(arguments: Sequence[str] | None = None) -> int:
    """Send the load, then print how often each answer came. Returns 0, also when stopped by a signal."""
    parser = argparse.ArgumentParser(prog="python -m otelkit_demo.load", description="Customers of the shop.")
    where = os.environ.get("ORDERS_URL", "http://127.0.0.1:8001")
    parser.add_argument("--target", default=where, metavar="URL", help="the orders service; ORDERS_URL or %(default)s")
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
