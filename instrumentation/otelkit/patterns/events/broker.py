"""The broker, through kombu: an exchange for each destination, a queue for each consumer of it. The only file that knows kombu.

A message that no queue takes is an error of its sender, not a silent loss; a broker that cannot be reached is nobody's error, and is waited
for.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from opentelemetry import context

from otelkit.config import Events
from otelkit.errors import OtelkitError
from otelkit.patterns.events.cloudevent import CONTENT_TYPE
from otelkit.traces.suppression import suppressed

_SYSTEMS = {"amqp": "rabbitmq", "amqps": "rabbitmq", "pyamqp": "rabbitmq", "rediss": "redis", "sqs": "aws_sqs"}
"""Scheme of the address to messaging.system (semantic conventions, messaging); others are called by their scheme."""

_POLLING = 0.05
"""Seconds between two looks of kombu into queues that cannot wake it; its own default is 1."""

_NO_QUEUE = "otelkit.no-queue"
"""Where kombu would put what no queue takes. It warns first, which is made an error; without such a queue it is silent."""
_PATIENCE = 10.0
"""Seconds that the broker may take to answer, and RabbitMQ to confirm a message."""
_HEARTBEAT = 30.0
"""Seconds after which a consumer notices that RabbitMQ is silently gone."""

Take = Callable[[bytes, Callable[[], None]], None]
"""Takes the body of a message, and what acknowledges it."""


@dataclass(frozen=True, slots=True)
class Listening:
    """A queue, the destination whose messages it gets, and who takes them."""

    queue: str
    destination: str
    take: Take


class UnreachableError(Exception):
    """The broker cannot be reached now, or broke off; says why. Nothing is known of the message."""


class Broker:
    """One connection, opened when it is first needed, and again after :meth:`close`."""

    def __init__(self, address: str, options: dict[str, str] | None = None) -> None:
        """Raises OtelkitError where there is no address, or no kombu."""
        if not address:
            raise OtelkitError(
                'OTELKIT["events"]["broker"] is not set, so events have nowhere to go. '
                'Set it (or OTELKIT_EVENTS_BROKER) to an address like "amqp://user:password@host//" or "redis://host/0".'
            )
        try:
            import kombu
            from kombu.transport.virtual.base import UndeliverableWarning
        except ImportError:
            raise OtelkitError(
                "The events of otelkit travel through kombu, which is not installed.\nInstall it with:  pip install 'otelkit[events]'"
            ) from None
        self._kombu: Any = kombu
        self._no_route = UndeliverableWarning
        self._address = address
        self._options = {name: _plain(value) for name, value in (options or {}).items()}
        self._connection: Any = None
        self._producer: Any = None
        scheme = urlsplit(address).scheme
        self.system = _SYSTEMS.get(scheme, scheme)

    @classmethod
    def of(cls, settings: Events) -> Self:
        """The broker of the settings. Raises as the class does."""
        return cls(settings.broker, settings.broker_options)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None) -> None:
        self.close()

    def publish(self, destination: str, body: str, headers: dict[str, str], message_id: str) -> None:
        """Hands one message over; back only when the broker has it. Raises UnreachableError, or what the broker has against it."""
        connection = self._open()
        silence = context.attach(suppressed())  # the relay's span is the one of this message
        try:
            exchange = self._exchange(destination)
            if self._producer is None:
                self._producer = connection.Producer(serializer=None)
            with warnings.catch_warnings():
                warnings.simplefilter("error", self._no_route)
                self._producer.publish(
                    body.encode(),
                    exchange=exchange,
                    routing_key=destination,
                    declare=[exchange],
                    content_type=CONTENT_TYPE,
                    content_encoding="utf-8",
                    headers=headers,
                    message_id=message_id,
                    delivery_mode=2,
                    mandatory=True,
                    retry=False,
                    timeout=_PATIENCE,
                )
        except connection.connection_errors as error:
            self.close()
            raise UnreachableError(f"{type(error).__qualname__}: {error}") from error
        except BaseException:
            self.close()  # a confirmation may still be under way, and must not be taken for the next message's
            raise
        finally:
            context.detach(silence)

    def listen(self, queues: Sequence[Listening], prefetch: int) -> Callable[[float], bool]:
        """Takes the messages of these queues, and gives what waits for the next one.

        It waits at most so many seconds and says whether one came. A message that ``take`` does not acknowledge comes again once the
        connection is closed. Both raise UnreachableError.
        """
        connection = self._open(heartbeat=_HEARTBEAT)
        try:
            for listening in queues:
                channel = connection.channel()
                queue = self._queue(listening.queue, listening.destination)(channel)
                receive = partial(_receive, listening.take)
                self._kombu.Consumer(channel, [queue], on_message=receive, accept=None, prefetch_count=prefetch).consume()
        except connection.connection_errors as error:
            self.close()
            raise UnreachableError(f"{type(error).__qualname__}: {error}") from error

        def wait(seconds: float) -> bool:
            try:
                if connection.supports_heartbeats and connection.heartbeat:
                    connection.heartbeat_check()
                connection.drain_events(timeout=seconds)
            except TimeoutError:
                return False
            except connection.connection_errors as error:
                self.close()
                raise UnreachableError(f"{type(error).__qualname__}: {error}") from error
            return True

        return wait

    def declare(self, queues: Mapping[str, str]) -> None:
        """Makes these queues (name -> destination) with their exchanges, for what is sent before the first consumer runs.

        Raises UnreachableError.
        """
        connection = self._open()
        try:
            with connection.channel() as channel:
                for name, destination in queues.items():
                    self._queue(name, destination)(channel).declare()
        except connection.connection_errors as error:
            self.close()
            raise UnreachableError(f"{type(error).__qualname__}: {error}") from error

    def close(self) -> None:
        """Leaves the broker; what is not acknowledged goes back to its queue."""
        connection, self._connection, self._producer = self._connection, None, None
        if connection is not None:
            with suppress(Exception):  # it is broken already, perhaps
                connection.release()

    def _open(self, heartbeat: float = 0) -> Any:
        if self._connection is None:
            made = self._made(heartbeat)
            try:
                made.ensure_connection(max_retries=1, timeout=5, reraise_as_library_errors=False)
            except made.connection_errors as error:
                with suppress(Exception):
                    made.release()
                raise UnreachableError(f"{type(error).__qualname__}: {error}") from error
            self._connection = made
        return self._connection

    def _made(self, heartbeat: float) -> Any:
        if self.system == "rabbitmq":
            options = {"confirm_publish": True, **self._options}
            return self._kombu.Connection(self._address, transport_options=options, connect_timeout=_PATIENCE, heartbeat=heartbeat)
        options = {"polling_interval": _POLLING, "deadletter_queue": _NO_QUEUE, **self._options}
        parts = urlsplit(self._address)
        if parts.scheme == "filesystem":
            from otelkit.patterns.events.filesystem import folders

            return self._kombu.Connection(
                transport="otelkit.patterns.events.filesystem:Transport", transport_options={**options, **folders(parts.path)}
            )
        return self._kombu.Connection(self._address, transport_options=options, connect_timeout=_PATIENCE)

    def _exchange(self, destination: str) -> Any:
        return self._kombu.Exchange(destination, type="direct", durable=True)

    def _queue(self, name: str, destination: str) -> Any:
        return self._kombu.Queue(name, self._exchange(destination), routing_key=destination, durable=True)


def _plain(value: str) -> Any:
    if value.lower() in ("true", "false"):
        return value.lower() == "true"
    for kind in (int, float):
        with suppress(ValueError):
            return kind(value)
    return value


def _receive(take: Take, message: Any) -> None:
    take(_bytes(message.body), message.ack)


def _bytes(body: Any) -> bytes:
    return body.encode() if isinstance(body, str) else bytes(body)
