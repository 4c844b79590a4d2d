"""Channels: a span for each event that a consumer of websockets works on, and how long its connections last and how they end.

Ours, because OpenTelemetry has none: its ASGI middleware has one span for all of a connection, without a route, and no metric.
Consumers of HTTP and of a worker's channels are left as they are.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from functools import wraps
from typing import Any

from opentelemetry import context

from otelkit.catalog import libraries
from otelkit.catalog.metrics import (
    ERRORS_CAPTURED,
    WEBSOCKET_SERVER_ACTIVE_CONNECTIONS,
    WEBSOCKET_SERVER_CONNECTION_DURATION,
    WEBSOCKET_SERVER_EVENT_DURATION,
    WEBSOCKET_SERVER_SENT_MESSAGES,
)
from otelkit.importing import when_imported
from otelkit.libraries.base import Library, Recording
from otelkit.libraries.patching import Patches
from otelkit.traces.suppression import suppressed
from otelkit.websockets.recorder import CONNECT, DISCONNECT, RECEIVE, WebsocketRecorder
from otelkit.websockets.state import CURRENT_CONNECTION, ConnectionState

logger = logging.getLogger("otelkit.libraries")

_patches = Patches()
_stop_waiting: list[Callable[[], None]] = []
_route: ContextVar[str | None] = ContextVar("otelkit_websocket_route", default=None)
_OF_CLIENT = {"websocket.connect": CONNECT, "websocket.receive": RECEIVE, "websocket.disconnect": DISCONNECT}
_LONGEST_TYPE = 64


def instrument(recording: Recording) -> None:
    """Follows every consumer, sync and async, and routers once they are imported."""
    from channels.consumer import AsyncConsumer

    if _patches:
        return
    following = _Following(recording.websockets)
    _patches.replace(AsyncConsumer, "__call__", following.serve)
    _stop_waiting.append(when_imported("channels.routing", _follow_routers))


def uninstrument() -> None:
    """Puts Channels' own methods back. Connections that are open are followed to their end."""
    while _stop_waiting:
        _stop_waiting.pop()()
    _patches.restore()


def _follow_routers() -> None:
    from channels.routing import URLRouter

    _patches.replace(URLRouter, "__call__", _remember_route)


def _remember_route(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @wraps(original)
    async def followed(router: Any, scope: Any, receive: Any, send: Any) -> Any:
        # Channels tells what the pattern captured, and not which pattern it was: so it is asked once more.
        token = _route.set(_joined(router, scope))
        try:
            return await original(router, scope, receive, send)
        finally:
            _route.reset(token)

    return followed


def _joined(router: Any, scope: Any) -> str | None:
    """The patterns that match, of the routers around this one and of this one."""
    try:
        is_outermost = "path_remaining" not in scope
        path = scope["path"].removeprefix(scope.get("root_path", "")) if is_outermost else scope["path_remaining"]
        before = "" if is_outermost else _route.get() or ""
        return next((before + str(route.pattern) for route in router.routes if route.pattern.match(path.lstrip("/"))), None)
    except Exception:  # noqa: BLE001 - patterns and converters may be the project's own, and the router will ask them, too
        return None


class _Following:
    def __init__(self, recorder: WebsocketRecorder) -> None:
        self._recorder = recorder

    def serve(self, original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        @wraps(original)
        async def followed(consumer: Any, scope: Any, receive: Any, send: Any) -> Any:
            if scope.get("type") != "websocket":
                return await original(consumer, scope, receive, send)
            if self._recorder.excludes(scope):
                token = context.attach(suppressed())
                try:
                    return await original(consumer, scope, receive, send)
                finally:
                    context.detach(token)
            state = self._recorder.open(scope, _route.get(), consumer)
            if state is None:
                return await original(consumer, scope, receive, send)
            current = CURRENT_CONNECTION.set(state)
            own = vars(consumer).get("dispatch")
            consumer.dispatch = self._dispatching(consumer, consumer.dispatch, state)
            error: BaseException | None = None
            try:
                return await original(consumer, scope, receive, self._sending(send, state))
            except BaseException as raised:
                error = raised
                raise
            finally:
                vars(consumer).pop("dispatch", None)
                if own is not None:
                    consumer.dispatch = own
                self._recorder.close(state, error)
                CURRENT_CONNECTION.reset(current)

        return followed

    def _dispatching(self, consumer: Any, dispatch: Callable[..., Awaitable[Any]], state: ConnectionState) -> Callable[..., Awaitable[Any]]:
        """On the consumer, which is made for this connection: whatever class of it has a ``dispatch`` of its own."""
        from channels.exceptions import StopConsumer

        @wraps(dispatch)
        async def followed(message: Any) -> Any:
            kind = message.get("type") if isinstance(message, dict) else None
            name = _OF_CLIENT.get(kind) if isinstance(kind, str) else None
            if name == DISCONNECT and not state.is_closed_by_us:  # else it is the answer to our own good-bye
                state.close_code = message.get("code", 1005)
            event = self._recorder.begin(state, name or _type_of(consumer, kind), is_of_client=name is not None)
            try:
                result = await dispatch(message)
            except StopConsumer:
                event.end()
                raise
            except BaseException as error:
                event.end(error)
                raise
            event.end()
            return result

        return followed

    def _sending(self, send: Callable[[Any], Awaitable[Any]], state: ConnectionState) -> Callable[[Any], Awaitable[Any]]:
        @wraps(send)
        async def followed(message: Any) -> Any:
            result = await send(message)
            kind = message.get("type") if isinstance(message, dict) else None
            if kind == "websocket.send":
                self._recorder.sent(state)
            elif kind == "websocket.accept":
                state.is_accepted = True
            elif kind in ("websocket.close", "websocket.http.response.start") and state.close_code is None:
                state.is_closed_by_us = True
                if state.is_accepted:  # one that never was open has no code: its client is answered by HTTP
                    state.close_code = message.get("code", 1000)
            return result

        return followed


def _type_of(consumer: Any, kind: Any) -> str:
    """The type of a message of the channel layer, where the consumer has a handler for it: what else comes may be anything."""
    known = isinstance(kind, str) and len(kind) <= _LONGEST_TYPE and hasattr(type(consumer), kind.replace(".", "_"))
    return kind if known else "_OTHER"


LIBRARY = Library(
    libraries.CHANNELS,
    instrument,
    uninstrument,
    emits=(
        WEBSOCKET_SERVER_CONNECTION_DURATION,
        WEBSOCKET_SERVER_ACTIVE_CONNECTIONS,
        WEBSOCKET_SERVER_EVENT_DURATION,
        WEBSOCKET_SERVER_SENT_MESSAGES,
        ERRORS_CAPTURED,
    ),
)
