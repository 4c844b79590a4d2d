"""A sender that listens: what was sent for each signal, and everything that was answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from time import time
from urllib.parse import urlsplit

from otelkit.config import Export
from otelkit.export.sender import Answer, HttpSender, Verdict

_AGAIN = 0.5
"""Seconds for whoever has not answered once: the second silence tells nothing new, and a person waits."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One answer as it came."""

    status: int
    headers: Mapping[str, str]
    at: float
    """Unix seconds of this machine's clock."""


@dataclass(slots=True)
class Heard:
    """What came of one signal."""

    answer: Answer | None = None
    """The first that was bad news, else the last."""
    exchange: Exchange | None = None
    bodies: list[bytes] = field(default_factory=list)


class ListeningSender(HttpSender):
    """Sends as ever."""

    def __init__(self, export: Export) -> None:
        super().__init__(export)
        self._addresses = export
        self._last: Exchange | None = None
        self._silent: set[str] = set()
        self.heard: dict[str, Heard] = {}

    def send(self, signal: str, body: bytes, timeout: float) -> Answer:
        """Passes on, and remembers."""
        heard = self.heard.setdefault(signal, Heard())
        heard.bodies.append(body)
        host = urlsplit(self._addresses.address(signal)).netloc
        self._last = None
        answer = super().send(signal, body, min(timeout, _AGAIN) if host in self._silent else timeout)
        if self._last is None:
            self._silent.add(host)
        if heard.answer is None or (heard.answer.verdict is Verdict.DELIVERED and not heard.answer.rejected_items):
            heard.answer, heard.exchange = answer, self._last
        return answer

    def _post(self, signal: str, content: bytes) -> tuple[int, Mapping[str, str], bytes]:
        status, headers, data = super()._post(signal, content)
        self._last = Exchange(status, headers, time())
        return status, headers, data
