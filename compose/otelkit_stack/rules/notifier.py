"""Tells Alertmanagers about alerts, over their API v2."""

from __future__ import annotations

import json
import logging
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import deque
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from otelkit_stack.rules.alert import Alert
from otelkit_stack.rules.times import time_text

_log = logging.getLogger(__name__)
_BATCH = 256
_CAPACITY = 10_000
_TIMEOUT_S = 10.0
_WARN_EVERY_S = 60.0


def posted(alert: Alert, expression: str, external_labels: Mapping[str, str], external_url: str) -> dict[str, Any]:
    """The alert as Alertmanager's API takes it. It needs to have fired."""
    labels = {**{name: value for name, value in external_labels.items() if not alert.labels.get(name)}, **dict(alert.labels)}
    ends_at = alert.valid_until if alert.resolved_at is None else alert.resolved_at
    return {
        "labels": labels,
        "annotations": dict(alert.annotations),
        "startsAt": time_text(alert.fired_at or alert.active_at),
        "endsAt": time_text(ends_at or alert.active_at),
        "generatorURL": f"{external_url}/graph?g0.expr={urllib.parse.quote_plus(expression, safe='')}&g0.tab=1",
    }


class Notifier:
    """Sends alerts to each of some Alertmanagers, from a thread for each, in the order in which they came.

    What does not fit into a queue, or is refused, is lost; alerts that go on firing are told again. Losses are counted, and said in the
    log once a minute.
    """

    def __init__(self, urls: Sequence[str], *, external_labels: Mapping[str, str] | None = None, external_url: str = "") -> None:
        self._external_labels = dict(external_labels or {})
        self._external_url = external_url
        self._receivers = [_Receiver(url) for url in urls]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def send(self, expression: str, alerts: Sequence[Alert]) -> None:
        """Have alerts of a rule sent; does not wait."""
        bodies = [posted(alert, expression, self._external_labels, self._external_url) for alert in alerts]
        for receiver in self._receivers:
            receiver.put(bodies)

    @property
    def lost(self) -> dict[str, int]:
        """How many alerts each Alertmanager has not taken."""
        return {receiver.url: receiver.lost for receiver in self._receivers}

    def close(self) -> None:
        """Send what still waits, and stop. An Alertmanager that is away costs one attempt."""
        for receiver in self._receivers:
            receiver.close()


class _Receiver:
    def __init__(self, url: str) -> None:
        self.url = url
        self.lost = 0
        self._queue: deque[dict[str, Any]] = deque()
        self._changed = threading.Condition()
        self._is_closed = False
        self._warned_at = -_WARN_EVERY_S
        self._thread = threading.Thread(target=self._run, name=f"alerts to {url}", daemon=True)
        self._thread.start()

    def put(self, bodies: Sequence[dict[str, Any]]) -> None:
        with self._changed:
            self._queue.extend(bodies)
            while len(self._queue) > _CAPACITY:
                self._queue.popleft()
                self.lost += 1
            self._changed.notify()

    def close(self) -> None:
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        self._thread.join(_TIMEOUT_S * 2)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._is_closed)
                if not self._queue:
                    return
                batch = [self._queue.popleft() for _ in range(min(_BATCH, len(self._queue)))]
            reason = _post(self.url, batch)
            if reason:
                self._lose(len(batch), reason)

    def _lose(self, count: int, reason: str) -> None:
        with self._changed:
            self.lost += count
            if self._is_closed:
                self.lost += len(self._queue)
                self._queue.clear()
        if time.monotonic() - self._warned_at >= _WARN_EVERY_S:
            self._warned_at = time.monotonic()
            _log.warning("Alertmanager at %s did not take %d alerts: %s. They are sent again while they fire.", self.url, count, reason)


def _post(url: str, batch: Sequence[dict[str, Any]]) -> str:
    """Why the batch was not taken; empty where it was."""
    address = url.rstrip("/") + "/api/v2/alerts"
    if urllib.parse.urlsplit(address).scheme not in ("http", "https"):
        return "its address begins neither with http:// nor with https://"
    request = urllib.request.Request(address, json.dumps(batch).encode(), {"Content-Type": "application/json"})  # noqa: S310  (checked above)
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310  (checked above)
            answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return f"it answered {error.code} {error.read(200).decode(errors='replace')}"
    except (OSError, ValueError) as error:
        return str(getattr(error, "reason", None) or error)
    return ""
