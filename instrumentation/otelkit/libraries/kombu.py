"""kombu: a span that sends a message, a span for what a consumer's callbacks do with one, and the messaging metrics.

Ours, because OpenTelemetry has none. What Celery and the kit's own patterns send and take by kombu is theirs to record.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
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
from otelkit.tasks.systems import system_of_transport

_patches = Patches()
_THEIRS = ("celery.", "otelkit.", "kombu.pidbox")
"""Modules whose messages somebody else records, or that nobody wants to see."""
_HANDS_ON = (*_THEIRS, "kombu.simple")
"""And those whose consumers only keep what they took for somebody who asks."""
_HEADERS_BY_PLACE = 10
"""Arguments of ``publish`` from which on the headers are given by their place; nobody does that."""


def instrument(recording: Recording) -> None:
    """Follows every producer and every consumer with callbacks."""
    from kombu.messaging import Consumer, Producer

    if _patches:
        return
    following = _Following(recording.messages)
    _patches.replace(Producer, "publish", following.publish)
    _patches.replace(Consumer, "receive", following.receive)


def uninstrument() -> None:
    """Puts kombu's own methods back."""
    _patches.restore()


class _Following:
    def __init__(self, recorder: MessageRecorder) -> None:
        self._recorder = recorder

    def publish(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(original)
        def followed(producer: Any, *args: Any, **kwargs: Any) -> Any:
            caller = str(sys._getframe(1).f_globals.get("__name__", ""))
            if caller.startswith(_THEIRS) or len(args) >= _HEADERS_BY_PLACE:
                return original(producer, *args, **kwargs)
            headers = dict(kwargs.get("headers") or {})
            key = kwargs.get("routing_key") or (args[1] if len(args) > 1 else None) or producer.routing_key
            sending = self._recorder.send(_system(producer), _place(kwargs.get("exchange") or producer.exchange, key), headers)
            if sending is None:
                return original(producer, *args, **kwargs)
            try:
                result = original(producer, *args, **{**kwargs, "headers": headers})
            except BaseException as error:
                sending.end(error)
                raise
            sending.end()
            return result

        return followed

    def receive(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(original)
        def followed(consumer: Any, body: Any, message: Any) -> Any:
            if all(_module(callback).startswith(_HANDS_ON) for callback in consumer.callbacks or ()):
                return original(consumer, body, message)
            delivery, headers = message.delivery_info or {}, message.headers or {}
            place = _place(delivery.get("exchange"), delivery.get("routing_key"))
            work = self._recorder.process(_system(consumer), place, headers.get)
            try:
                result = original(consumer, body, message)
            except BaseException as error:
                work.end(error)
                raise
            work.end()
            return result

        return followed


def _place(exchange: Any, routing_key: Any) -> str:
    """The exchange, or the queue that the routing key names where it is the default one."""
    return str(getattr(exchange, "name", exchange) or routing_key or "")


def _system(entity: Any) -> str:
    transport = getattr(getattr(entity, "connection", None), "transport_cls", "")
    return system_of_transport(transport if isinstance(transport, str) else getattr(transport, "__name__", ""))


def _module(callback: Any) -> str:
    owner = getattr(callback, "__self__", None)
    return str(getattr(callback, "__module__", "") if owner is None else type(owner).__module__)


LIBRARY = Library(
    libraries.KOMBU,
    instrument,
    uninstrument,
    emits=(
        MESSAGING_CLIENT_OPERATION_DURATION,
        MESSAGING_CLIENT_SENT_MESSAGES,
        MESSAGING_CLIENT_CONSUMED_MESSAGES,
        MESSAGING_PROCESS_DURATION,
    ),
)
