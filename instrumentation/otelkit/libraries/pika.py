"""pika: a span that sends a message, a span for what a consumer's callback does with one, and the messaging metrics.

Ours, because OpenTelemetry's instrumentation wraps channel by channel, by old conventions and without metrics. The blocking channel alone,
which is what a Django project uses; pika's asynchronous adapters are left as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from functools import wraps
from typing import Any

from otelkit.catalog import libraries
from otelkit.catalog.metrics import (
    MESSAGING_CLIENT_CONSUMED_MESSAGES,
    MESSAGING_CLIENT_OPERATION_DURATION,
    MESSAGING_CLIENT_SENT_MESSAGES,
    MESSAGING_PROCESS_DURATION,
)
from otelkit.libraries.base import Library, Recording
from otelkit.libraries.patching import Patches
from otelkit.tasks.messages import MessageRecorder

_patches = Patches()
_SYSTEM = "rabbitmq"


def instrument(recording: Recording) -> None:
    """Follows every blocking channel; consumers from their next ``basic_consume`` on."""
    from pika.adapters.blocking_connection import BlockingChannel

    if _patches:
        return
    following = _Following(recording.messages)
    _patches.replace(BlockingChannel, "basic_publish", following.publish)
    _patches.replace(BlockingChannel, "basic_consume", following.consume)


def uninstrument() -> None:
    """Puts pika's own methods back."""
    _patches.restore()


class _Following:
    def __init__(self, recorder: MessageRecorder) -> None:
        self._recorder = recorder

    def publish(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(original)
        def followed(channel: Any, exchange: str, routing_key: str, body: Any, properties: Any = None, mandatory: bool = False) -> Any:
            from pika import BasicProperties

            properties = BasicProperties() if properties is None else copy(properties)  # theirs may be sent again
            properties.headers = dict(properties.headers or {})
            sending = self._recorder.send(_SYSTEM, exchange or routing_key, properties.headers)
            if sending is None:
                return original(channel, exchange, routing_key, body, properties, mandatory)
            try:
                result = original(channel, exchange, routing_key, body, properties, mandatory)
            except BaseException as error:
                sending.end(error)
                raise
            sending.end()
            return result

        return followed

    def consume(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(original)
        def followed(channel: Any, queue: str, on_message_callback: Any, *args: Any, **kwargs: Any) -> Any:
            @wraps(on_message_callback)
            def callback(channel: Any, method: Any, properties: Any, body: bytes) -> Any:
                headers = properties.headers or {}
                work = self._recorder.process(_SYSTEM, method.exchange or method.routing_key, headers.get)
                try:
                    result = on_message_callback(channel, method, properties, body)
                except BaseException as error:
                    work.end(error)
                    raise
                work.end()
                return result

            return original(channel, queue, callback, *args, **kwargs)

        return followed


LIBRARY = Library(
    libraries.PIKA,
    instrument,
    uninstrument,
    emits=(
        MESSAGING_CLIENT_OPERATION_DURATION,
        MESSAGING_CLIENT_SENT_MESSAGES,
        MESSAGING_CLIENT_CONSUMED_MESSAGES,
        MESSAGING_PROCESS_DURATION,
    ),
)
