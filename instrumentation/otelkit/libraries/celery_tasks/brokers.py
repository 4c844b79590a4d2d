"""Asks Celery's brokers how much waits in the queues that this process knows, and for how long.

RabbitMQ says how many tasks wait and how many consumers it has, of a queue that is declared passively, which makes none. Redis and the
brokers in a folder or in memory say how many wait, and show the oldest; of their consumers they know nothing. Others, where asking costs
money or makes a queue, are not asked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from time import time
from typing import Any

from otelkit.tasks import carrying
from otelkit.tasks.queues import Queues, Waiting

_AMQP = "amqp"
_NOT_FOUND = 404


def ask() -> Queues:
    """The queues of every app of this process that has sent or taken a task. Raises what the broker raises where none answers."""
    found: dict[str, Waiting] = {}
    failure: Exception | None = None
    for app in _apps():
        try:
            found |= _queues_of(app)
        except Exception as error:  # noqa: BLE001  (whatever a driver raises; another app's broker may answer)
            failure = error
    if failure is not None and not found:
        raise failure
    return found


def _apps() -> Iterator[Any]:
    from celery import _state

    for app in list(_state._get_active_apps()):
        # Asked for earlier, the app would read its configuration in our thread, and perhaps before the project has finished it.
        if "queues" in vars(vars(app).get("amqp") or object):
            yield app


def _queues_of(app: Any) -> dict[str, Waiting]:
    connection = app.pool.acquire(block=False)  # Celery's own, which is open already where tasks are sent
    try:
        system = connection.transport.driver_type
        if system not in (_AMQP, *_OLDEST):
            return {}
        asked = {queue: _waiting(connection, system, queue) for queue in list(app.amqp.queues)}
    except BaseException:
        app.pool.replace(connection)
        raise
    connection.release()
    return asked


def _waiting(connection: Any, system: str, queue: str) -> Waiting:
    # A channel for each: RabbitMQ closes the one on which a queue was asked for that is not there.
    with closing(connection.channel()) as channel:
        if system != _AMQP:
            depth = int(channel._size(queue))
            return Waiting(depth, _OLDEST[system](channel, queue) if depth else 0.0)
        try:
            said = channel.queue_declare(queue, passive=True)
        except connection.channel_errors as error:
            if getattr(error, "code", None) != _NOT_FOUND:
                raise
            return Waiting(0, has_worker=False)  # nobody has declared it yet: nothing was sent, and nobody takes it
        return Waiting(said.message_count, has_worker=said.consumer_count > 0)


def _oldest_in_redis(channel: Any, queue: str) -> float | None:
    prefix = channel.global_keyprefix or ""
    with channel.conn_or_acquire() as client:
        last = [client.lindex(prefix + channel._q_for_pri(queue, priority), -1) for priority in channel.priority_steps]
    return max((age for text in last if text and (age := _age(json.loads(text))) is not None), default=None)


def _oldest_in_memory(channel: Any, queue: str) -> float | None:
    held = channel._queue_for(queue).queue
    return _age(held[0]) if held else None


def _oldest_in_a_folder(channel: Any, queue: str) -> float | None:
    times = []
    for file in Path(channel.data_folder_in).iterdir():
        if file.name.partition(".")[2] == f"{queue}.msg":
            try:
                times.append(file.stat().st_mtime)
            except FileNotFoundError:  # taken meanwhile
                continue
    return max(time() - min(times), 0.0) if times else None


def _age(message: Any) -> float | None:
    headers = message.get("headers") if isinstance(message, dict) else None
    sent_at = carrying.read(headers.get).sent_at if isinstance(headers, dict) else None
    return None if sent_at is None else max(time() - sent_at, 0.0)


_OLDEST = {"redis": _oldest_in_redis, "memory": _oldest_in_memory, "filesystem": _oldest_in_a_folder}
"""How the oldest message of a queue is found, by kombu's kind of transport."""
