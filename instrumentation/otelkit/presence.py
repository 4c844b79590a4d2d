"""When this process begins to be somebody: it takes a worker slot, starts to send, and shows its metrics. Until then it waits.

A server's master loads the application, and forks. Had it begun, it would hold slot 0, send series of its own beside its workers', and wait
for a receiver when it ends. So waiting is the normal state, and one of these ends it: a server that is known calls this process its worker;
a request comes; or, in a process that is no known server's master, something is recorded: a span, a line for the collector, a measurement.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Event, Lock, get_ident
from typing import Any

from django.core.signals import request_started

from otelkit.servers import UNKNOWN, Role, Server

logger = logging.getLogger("otelkit")

_UID = "otelkit.presence"
_PATIENCE = 2.0
"""Seconds that the end waits for a beginning that another thread is at."""


class Presence:
    """Calls ``begin`` once, at the first occasion. After a fork the child waits again."""

    def __init__(self, begin: Callable[[], None]) -> None:
        self._begin = begin
        self.server = UNKNOWN
        self._reset()

    def _reset(self) -> None:
        self._lock = Lock()
        self._closed = False
        self._beginner: int | None = None
        self._through = Event()

    @property
    def has_begun(self) -> bool:
        """Whether this process, or the one that it was forked from, has begun."""
        return self._beginner is not None

    def wait(self, server: Server) -> None:
        """Waits for the first occasion, which is now where ``server`` says that this is a worker."""
        self._reset()
        self.server = server
        if server.role is Role.MASTER:
            # Only there: in others a request is recorded, and so used. And not in any child, which may inherit the signal's lock taken.
            request_started.connect(self._on_request, weak=False, dispatch_uid=_UID)
        if server.role is Role.WORKER:
            server.after_loading(self.begin)

    def use(self) -> None:
        """Something is recorded for the first time. It may be anywhere, so this neither waits nor raises."""
        if self.server.role is not Role.MASTER:
            self.begin()

    def begin(self) -> None:
        """Begins now, unless that has happened, or the end has come. Does not wait for another thread that is at it; does not raise."""
        if not self._lock.acquire(blocking=False):  # whoever holds it begins, or ends
            return
        try:
            if self._closed or self.has_begun:
                return
            self._beginner = get_ident()
        finally:
            self._lock.release()
        try:
            self._begin()
            self._disconnect()
        except Exception:
            logger.exception("otelkit could not begin to send; the application goes on, what it records may be lost.")
        finally:
            self._through.set()

    def close(self) -> None:
        """Begins no more; waits for another thread that is just at it."""
        with self._lock:
            self._closed = True
        self._disconnect()
        if self.has_begun and self._beginner != get_ident():
            self._through.wait(_PATIENCE)

    def _disconnect(self) -> None:
        if self.server.role is Role.MASTER:
            request_started.disconnect(dispatch_uid=_UID)

    def _on_request(self, **_: Any) -> None:
        self.begin()
