"""Values that break loggers (B5)."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import logging
import threading
import uuid
from typing import Any, NamedTuple

from django.utils.functional import SimpleLazyObject, lazystr


class BrokenStr:
    def __str__(self) -> str:
        raise RuntimeError("no str")

    __repr__ = __str__


class BrokenRepr:
    def __repr__(self) -> str:
        raise ValueError("no repr")


class NoText:
    def __str__(self) -> str:
        return 7  # type: ignore[return-value]  # noqa: PLE0307 - that is the point


class LoudStr:
    """Logs itself while it is shown; not once more while that line is written, or two threads would wait for each other's handlers."""

    showing = threading.local()

    def __str__(self) -> str:
        if not getattr(self.showing, "logs", False):
            self.showing.logs = True
            try:
                logging.getLogger("hostile").warning("shown: %s", self)
            finally:
                self.showing.logs = False
        return "loud"


class BrokenMapping(dict[str, Any]):
    def items(self) -> Any:
        raise KeyError("no items")


class HostileText(str):
    __slots__ = ()

    def __str__(self) -> str:
        raise RuntimeError("no text")

    def __len__(self) -> int:
        raise RuntimeError("no length")


class HugeNumber(int):
    def __repr__(self) -> str:
        raise RuntimeError("no repr")


@dataclasses.dataclass
class Account:
    name: str
    password: str
    pin_code: str = dataclasses.field(default="4711", repr=False)


class Credentials(NamedTuple):
    user: str
    password: str


def _deep(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


def _circular() -> dict[str, Any]:
    value: dict[str, Any] = {"a": 1}
    value["self"] = value
    value["list"] = [value]
    return value


def _refuse() -> None:
    raise ValueError("not now")


class BrokenError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no message")


HOSTILE: dict[str, Any] = {
    "circular": _circular(),
    "3000 deep": _deep(3_000),
    "broken __str__": BrokenStr(),
    "broken __repr__": BrokenRepr(),
    "__str__ of the wrong type": NoText(),
    "broken mapping": BrokenMapping(a=1),
    "hostile str subclass": HostileText("text"),
    "hostile int subclass": HugeNumber(2**80),
    "logs while shown": LoudStr(),
    "lone surrogate": "a\ud800b",
    "surrogate pair in halves": "\ud83d" + "\ude00",
    "NUL": "a\x00b",
    "line ends": "a\r\nb\u2028c\u2029d\x85e\x0bf",
    "ANSI": "\x1b[31mred\x1b[0m\x9b31m",
    "NaN": float("nan"),
    "infinity": [float("inf"), float("-inf")],
    "2**70": 2**70,
    "10**5000": 10**5_000,
    "10 MB": "x" * 10_000_000,
    "bytes": b"\xff\x00abc",
    "10 MB bytes": memoryview(b"x" * 10_000_000),
    "lazy that raises": SimpleLazyObject(_refuse),
    "lazy string that raises": lazystr(BrokenStr()),
    "keys of all kinds": {1: "a", None: "b", (1, 2): "c", BrokenStr(): "d", "\ud800": "e", 2.5: "f", "k" * 1_000: "g"},
    "wide": list(range(100_000)),
    "bushy": [[[[[list(range(50))] * 50] * 50] * 50] * 50],
    "generator": (n for n in range(3)),
    "exception with broken __str__": BrokenError(),
    "class": BrokenStr,
    "dataclass": Account("kim", "hunter2"),
    "named tuple": Credentials("kim", "hunter2"),
    "set": {3, 1, 2},
    "datetime": dt.datetime(2026, 11, 22, 13, 0, tzinfo=dt.UTC),
    "duration": dt.timedelta(seconds=1.5),
    "UUID": uuid.UUID(int=7),
    "Decimal": decimal.Decimal("1.10"),
    "lazy text": lazystr("hello"),
}
