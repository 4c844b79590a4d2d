"""Where a task goes, and where it came from: the broker's product, and the queue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from otelkit.tasks.systems import system_of_transport

_MOST = 1024
"""Routes that are remembered."""


class Systems:
    """The broker's product, from the address that an app sends to. Read once: Celery looks through all its settings for one of them."""

    def __init__(self) -> None:
        self._found: WeakKeyDictionary[Any, str] = WeakKeyDictionary()

    def of(self, app: Any) -> str:
        """As the semantic conventions call it."""
        found = self._found.get(app)
        if found is None:
            found = self._found[app] = _system(app)
        return found


def _system(app: Any) -> str:
    url = app.conf.broker_write_url or app.conf.broker_url or ""
    first = url[0] if isinstance(url, (list, tuple)) and url else url
    return system_of_transport(urlsplit(str(first).split(";")[0]).scheme)


class Queues:
    """Finds the queue that a message with this exchange and routing key lies in: a task is told no more than those."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], str] = {}

    def of(self, app: Any, delivery: Mapping[str, Any] | None) -> str:
        """The queue's name, or else the routing key; empty for a task that lay in none."""
        if not delivery or delivery.get("is_eager"):
            return ""
        exchange, key = str(delivery.get("exchange") or ""), str(delivery.get("routing_key") or "")
        if not exchange:
            return key  # the default exchange: its routing key is the queue
        found = self._found.get((exchange, key))
        if found is None:
            found = _queue(app, exchange, key)
            if len(self._found) < _MOST:
                self._found[exchange, key] = found
        return found


def _queue(app: Any, exchange: str, key: str) -> str:
    for name, queue in app.amqp.queues.items():
        if queue.exchange.name == exchange and queue.routing_key == key:
            return str(name)
    return key or exchange
