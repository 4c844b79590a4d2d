"""Records connections by websocket: a span for each event on one, how long it lasted and how it ended.

A connection has no end in sight: a span for all of it would be missing for hours while its children are there, and one trace would hold
every message of a day. So the handshake is a span in its caller's trace, and each later event begins a trace that is linked to it.
"""

from __future__ import annotations

import logging
from asyncio import CancelledError
from collections.abc import Mapping
from contextvars import Token
from time import perf_counter
from typing import Any

from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Link, Span, SpanKind, Status, StatusCode, Tracer

from otelkit.catalog import logs as keys
from otelkit.catalog.metrics import (
    ERRORS_CAPTURED,
    WEBSOCKET_SERVER_ACTIVE_CONNECTIONS,
    WEBSOCKET_SERVER_CONNECTION_DURATION,
    WEBSOCKET_SERVER_EVENT_DURATION,
    WEBSOCKET_SERVER_SENT_MESSAGES,
)
from otelkit.config import Requests
from otelkit.logs.access import user_agent_family
from otelkit.logs.exceptions import message_of
from otelkit.metrics.aggregator import Aggregator
from otelkit.request.description import qualified
from otelkit.request.excluded import ExcludedPaths
from otelkit.request.incoming import Incoming
from otelkit.traces.contexts import span_id_text
from otelkit.websockets.closing import close_code, outcome
from otelkit.websockets.handshake import read_handshake
from otelkit.websockets.state import ConnectionState

logger = logging.getLogger("otelkit.websockets")
_lines = logging.getLogger(keys.ACCESS_LOGGER)

CONNECT, RECEIVE, DISCONNECT = "connect", "receive", "disconnect"


class Event:
    """One event under way; its span is current until :meth:`end`. Nothing here raises."""

    __slots__ = ("_context", "_name", "_recorder", "_span", "_started", "_state", "_token")

    def __init__(self, recorder: WebsocketRecorder, state: ConnectionState, name: str, span: Span, base: Context) -> None:
        self._recorder = recorder
        self._state = state
        self._name = name
        self._span = span
        self._context = trace.set_span_in_context(span, base) if span is not INVALID_SPAN else base
        self._token: Token[Context] = context.attach(self._context)
        self._started = perf_counter()

    def end(self, error: BaseException | None = None) -> None:
        """Ends it, in the task in which it began. ``error`` is what the consumer raised and did not mean as an end."""
        elapsed = perf_counter() - self._started
        try:
            context.detach(self._token)
            if error is not None:
                self._state.error, self._state.error_context = error, self._context
            self._recorder.measure(self._state, self._name, elapsed, self._span, error)
            self._span.end()
        except Exception:  # span processors may be the project's own
            logger.exception("otelkit could not record an event of a websocket; the connection is not affected.")


class WebsocketRecorder:
    """Follows connections for whichever library serves them. Nothing here raises into it."""

    def __init__(self, tracer: Tracer, aggregator: Aggregator, config: Requests, *, writes_line: bool) -> None:
        self._tracer = tracer
        self._excluded = ExcludedPaths(config.excluded_paths)
        self._incoming = Incoming(config)
        self._writes_line = writes_line
        self._duration = aggregator.histogram(WEBSOCKET_SERVER_CONNECTION_DURATION)
        self._active = aggregator.counter(WEBSOCKET_SERVER_ACTIVE_CONNECTIONS)
        self._events = aggregator.histogram(WEBSOCKET_SERVER_EVENT_DURATION)
        self._sent = aggregator.counter(WEBSOCKET_SERVER_SENT_MESSAGES)
        self._errors = aggregator.counter(ERRORS_CAPTURED)

    def excludes(self, scope: Mapping[str, Any]) -> bool:
        """Whether this path has no telemetry of any kind."""
        return str(scope.get("path") or "") in self._excluded

    def open(self, scope: Mapping[str, Any], route: str | None, consumer: object) -> ConnectionState | None:
        """A connection begins; None where what it says cannot be read."""
        try:
            state = read_handshake(scope, route, consumer, self._incoming)
        except Exception:  # a scope that no server makes
            logger.exception("otelkit could not read the handshake of a websocket; it is not followed.")
            return None
        self._active.add(1, (state.route,))
        return state

    def begin(self, state: ConnectionState, name: str, *, is_of_client: bool = True) -> Event:
        """The consumer gets an event: ``connect``, ``receive``, ``disconnect``, or the type of a message of the channel layer."""
        is_first = name == CONNECT
        base = state.parent if is_first else state.later
        span: Span = INVALID_SPAN
        try:
            link = state.stranger if is_first else None if state.is_inside or not state.handshake.is_valid else state.handshake
            kind = SpanKind.SERVER if is_of_client and not state.is_inside else SpanKind.INTERNAL
            attributes = _attributes(state, name)
            span = self._tracer.start_span(f"{name} {state.route}", base, kind, attributes, [Link(link)] if link else ())
        except Exception:  # samplers and processors may be the project's own
            logger.exception("otelkit could not trace an event of a websocket; it goes on without a span.")
        if is_first:
            state.handshake = span.get_span_context()
            if not state.request_id and state.handshake.is_valid:
                state.request_id = span_id_text(state.handshake)
        if name == RECEIVE:
            state.received += 1
        return Event(self, state, name, span, base)

    def sent(self, state: ConnectionState) -> None:
        """The client was sent a message."""
        state.sent += 1
        self._sent.add(1, (state.route,))

    def measure(self, state: ConnectionState, name: str, elapsed: float, span: Span, error: BaseException | None) -> None:
        """Measures an event that has ended, and says on its span what is known by now."""
        error_type = None
        if error is not None and not isinstance(error, CancelledError):  # that is a server that stops
            error_type = qualified(error)
            self._errors.add(1, (error_type, state.route, False, None))
            span.set_attribute("error.type", error_type)
            span.add_event("exception", {"exception.type": error_type, "exception.message": message_of(error)[:1024]})
            span.set_status(Status(StatusCode.ERROR, error_type))
        if state.close_code is not None:
            code = close_code(state)
            span.set_attributes({"websocket.close_code": code or "", "websocket.outcome": outcome(state, code)})
        self._events.record(elapsed, (state.route, name, error_type), span.get_span_context())

    def close(self, state: ConnectionState, error: BaseException | None = None) -> None:
        """The connection is over."""
        elapsed = perf_counter() - state.started
        try:
            self._active.add(-1, (state.route,))
            state.error = state.error or error
            code = close_code(state)
            ended = outcome(state, code)
            error_type = qualified(state.error) if state.error is not None and ended == "error" else None
            self._duration.record(elapsed, (state.route, ended, code, error_type), state.handshake)
            if self._writes_line:
                _write_line(state, ended, code, elapsed)
        except Exception:
            logger.exception("otelkit could not record a websocket; the connection is not affected.")


def _attributes(state: ConnectionState, name: str) -> dict[str, str]:
    known = {
        "http.route": state.route,
        "url.path": state.path,
        "network.protocol.name": "websocket",
        "websocket.event": name,
        "code.function.name": state.consumer,
    }
    if name == CONNECT and state.user_agent:
        known["user_agent.original"] = state.user_agent
    return known


def _write_line(state: ConnectionState, ended: str, code: str | None, elapsed: float) -> None:
    """At ERROR where somebody has to look, in the trace of the event that failed; else in that of the handshake."""
    said: dict[str, Any] = {
        keys.EVENT_NAME: keys.WEBSOCKET_EVENT,
        keys.URL_PATH: state.path,
        keys.WEBSOCKET_OUTCOME: ended,
        keys.DURATION_MS: round(elapsed * 1000, 3),
        keys.WEBSOCKET_RECEIVED: state.received,
        keys.WEBSOCKET_SENT: state.sent,
    }
    if code is not None:
        said[keys.WEBSOCKET_CLOSE_CODE] = code
    if family := user_agent_family(state.user_agent):
        said[keys.USER_AGENT_NAME] = family
    where = state.error_context or trace.set_span_in_context(trace.NonRecordingSpan(state.handshake), Context())
    token = context.attach(where)
    try:
        level = logging.ERROR if ended == "error" else logging.INFO
        _lines.log(level, "websocket %s %s", state.route, ended if code is None else f"{ended} {code}", extra=said)
    finally:
        context.detach(token)
