"""What customers do at the gateway, and how often: each journey a few requests, by whatever client can get and post."""

from __future__ import annotations

import random
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

HEADERS = {"baggage": "synthetic=true"}
"""The baggage says to every service on the way that no real customer waits."""

SKUS = ("tea-assam", "tea-sencha", "cup-stoneware", "kettle-copper", "scale-pocket", "teapot-signed")
SKU_WEIGHTS = (30, 30, 20, 10, 9, 1)
WORDS = ("tea", "copper", "cup", "green", "by hand", "unicorn")
CUSTOMERS, PASSWORD = ("ada", "grace"), "tea-time"
_KEPT_ORDERS = 200


class Answer(Protocol):
    """What httpx and requests have in common."""

    status_code: int

    @property
    def cookies(self) -> Any:
        """Cookies of this answer, by name."""

    def json(self) -> Any:
        """The body."""


class Client(Protocol):
    """Somebody who asks the gateway, by path. Cookies are not kept: whoever is logged in says so."""

    def get(self, path: str, *, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None) -> Answer:
        """The answer to GET."""

    def post(self, path: str, *, json: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """The answer to POST."""


@dataclass(slots=True)
class Shop:
    """The shop as customers see it, and the orders that they placed lately."""

    client: Client
    orders: deque[str] = field(default_factory=lambda: deque(maxlen=_KEPT_ORDERS))


Walk = Callable[[Shop], None]


@dataclass(frozen=True, slots=True)
class Journey:
    """One thing that customers do. ``plan`` draws what chance decides and returns the walk, so that a seed decides it all."""

    name: str
    weight: int
    requests: int
    """How many requests it makes, as a rule."""
    plan: Callable[[random.Random], Walk]


def _browse(chance: random.Random) -> Walk:
    sku = chance.choice(SKUS)

    def walk(shop: Shop) -> None:
        shop.client.get("/api/products", headers=_web())
        shop.client.get(f"/api/products/{sku}", headers=_web())

    return walk


def _search(chance: random.Random) -> Walk:
    word = chance.choice(WORDS)
    return lambda shop: _ignored(shop.client.get("/api/products", params={"search": word}, headers=_web()))


def _check_out(chance: random.Random) -> Walk:
    wish, key = _wish(chance), _key(chance)
    return lambda shop: _ignored(_placed(shop, wish, key))


def _look_up(chance: random.Random) -> Walk:
    share = chance.random()

    def walk(shop: Shop) -> None:
        # Before anybody has placed an order there is none to look at.
        reference = shop.orders[int(share * len(shop.orders))] if shop.orders else str(uuid.UUID(int=0))
        shop.client.get(f"/api/orders/{reference}", headers=_web())

    return walk


def _send_back(chance: random.Random) -> Walk:
    wish, key = _wish(chance), _key(chance)

    def walk(shop: Shop) -> None:
        if reference := _placed(shop, wish, key):
            shop.client.post(f"/api/orders/{reference}/refund", headers=_web())

    return walk


def _log_in(chance: random.Random) -> Walk:
    name, wish, key = chance.choice(CUSTOMERS), _wish(chance), _key(chance)

    def walk(shop: Shop) -> None:
        answer = shop.client.post("/api/login", json={"username": name, "password": PASSWORD}, headers=_web())
        if answer.status_code != 200:
            return
        cookies = dict(answer.cookies.items())
        shown = {"cookie": "; ".join(f"{cookie}={value}" for cookie, value in cookies.items()), "x-csrftoken": cookies.get("csrftoken", "")}
        _placed(shop, wish, key, shown)
        shop.client.post("/api/logout", headers={**_web(), **shown})

    return walk


def _mistype_password(chance: random.Random) -> Walk:
    said = {"username": chance.choice(CUSTOMERS), "password": f"tea-{chance.randint(100, 999)}"}
    return lambda shop: _ignored(shop.client.post("/api/login", json=said, headers=_web()))


def _use_an_old_app(chance: random.Random) -> Walk:
    wish, key = _wish(chance), _key(chance)
    headers = {**HEADERS, "x-client-name": "old-app", "idempotency-key": key}
    return lambda shop: _ignored(shop.client.post("/api/v1/checkout", json=wish, headers=headers))


def _miss(chance: random.Random) -> Walk:
    sku = f"tea-{chance.randint(1000, 9999)}"
    return lambda shop: _ignored(shop.client.get(f"/api/products/{sku}", headers=_web()))


JOURNEYS: tuple[Journey, ...] = (
    Journey("browse", 40, 2, _browse),
    Journey("search", 14, 1, _search),
    Journey("checkout", 20, 1, _check_out),
    Journey("look up an order", 12, 1, _look_up),
    Journey("refund", 3, 2, _send_back),
    Journey("login", 3, 3, _log_in),
    Journey("bad login", 1, 1, _mistype_password),
    Journey("old app", 5, 1, _use_an_old_app),
    Journey("miss", 2, 1, _miss),
)
"""What customers do, and how often in a hundred times."""

CHECKOUT = next(journey for journey in JOURNEYS if journey.name == "checkout")


def guess_password(client: Client) -> None:
    """One try of somebody who has no account, for the fault ``auth.brute_force``."""
    said = {"username": CUSTOMERS[0], "password": uuid.uuid4().hex}
    client.post("/api/login", json=said, headers=_web())


def _placed(shop: Shop, wish: Mapping[str, Any], key: str, shown: Mapping[str, str] | None = None) -> str | None:
    headers = {**_web(), "idempotency-key": key, **(shown or {})}
    answer = shop.client.post("/api/v2/checkout", json=wish, headers=headers)
    if answer.status_code != 201:
        return None
    reference = str(answer.json()["reference"])
    shop.orders.append(reference)
    return reference


def _wish(chance: random.Random) -> dict[str, Any]:
    """One to three of something; the signed teapot sells out."""
    return {"sku": chance.choices(SKUS, SKU_WEIGHTS)[0], "quantity": chance.randint(1, 3)}


def _key(chance: random.Random) -> str:
    # From the seed, and yet of this run alone: a demo whose folder is kept must not answer with the orders of an earlier run.
    return f"{uuid.UUID(int=chance.getrandbits(128))}-{_RUN}"


_RUN = uuid.uuid4().hex[:8]


def _web() -> dict[str, str]:
    return {**HEADERS, "x-client-name": "web"}


def _ignored(_answer: object) -> None:
    """What was answered is counted by the client."""
