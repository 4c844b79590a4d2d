"""A receiver in memory, in place of the network."""

from __future__ import annotations

import threading

from otelkit.export.sender import Answer, Verdict


class MemorySender:
    """Takes every request and keeps its body."""

    def __init__(self) -> None:
        self.bodies: list[tuple[str, bytes]] = []
        self._lock = threading.Lock()

    def send(self, signal: str, body: bytes, timeout: float) -> Answer:  # noqa: ARG002  (memory is never late)
        """Keeps the body."""
        with self._lock:
            self.bodies.append((signal, body))
        return Answer(Verdict.DELIVERED)

    def of(self, signal: str) -> list[bytes]:
        """The bodies of one signal, in order."""
        with self._lock:
            return [body for name, body in self.bodies if name == signal]
