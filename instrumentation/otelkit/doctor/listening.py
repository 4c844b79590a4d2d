"""A sender that listens: what was sent for each signal, and everything that was answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from time import time
from urllib.parse import urlsplit

from otelkit.config import Export
from otelkit.export.sender import Answer, HttpSender, Verdict
from otelkit.export.senders import sender_of

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


class _ListeningHttpSender(HttpSender):
    """Keeps the last answer as it came."""

    last: Exchange | None = None

    def _post(self, signal: str, content: bytes) -> tuple[int, Mapping[str, str], bytes]:
        status, headers, data = super()._post(signal, content)
        self.last = Exchange(status, headers, time())
        return status, headers, data


class ListeningSender:
    """Sends as ever, by HTTP or gRPC; of gRPC there is an answer, and no exchange."""

    def __init__(self, export: Export) -> None:
        self._addresses = export
        self._http = _ListeningHttpSender(export)
        self._sender = sender_of(export, lambda _: self._http)
        self._silent: set[str] = set()
        self.heard: dict[str, Heard] = {}

    def send(self, signal: str, body: bytes, timeout: float) -> Answer:
        """Passes on, and remembers."""
        heard = self.heard.setdefault(signal, Heard())
        heard.bodies.append(body)
        host = urlsplit(self._addresses.address(signal)).netloc
        self._http.last = None
        answer = self._sender.send(signal, body, min(timeout, _AGAIN) if host in self._silent else timeout)
        if answer.verdict is Verdict.RETRY and self._http.last is None:
            self._silent.add(host)
        if heard.answer is None or (heard.answer.verdict is Verdict.DELIVERED and not heard.answer.rejected_items):
            heard.answer, heard.exchange = answer, self._http.last
        return answer
