"""An outbound HTTP call: client span, trace headers, duration. What every HTTP library's file shares."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, MutableMapping
from contextvars import Token
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

from opentelemetry import context, propagate, trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer

from otelkit.catalog.labels import HTTP_REQUEST_METHOD, OTHER_METHOD
from otelkit.catalog.metrics import HTTP_CLIENT_REQUEST_DURATION
from otelkit.metrics.aggregator import Aggregator
from otelkit.redaction import redact_url
from otelkit.request.state import CURRENT
from otelkit.traces.foreign import open_client_span, redact_addresses
from otelkit.traces.names import span_name
from otelkit.traces.suppression import is_suppressed, suppressed_http

logger = logging.getLogger("otelkit.outbound")

_PORTS = {"http": 80, "https": 443}
_OTHERS_BELOW = frozenset({"opentelemetry.instrumentation.httpx", "opentelemetry.instrumentation.urllib3"})
"""Modules of other instrumentations that may stand between us and the network."""


class Call:
    """One call under way; ends with :meth:`answered` or :meth:`failed`."""

    __slots__ = ("_is_adopted", "_outbound", "_peer", "_started", "_target", "_token", "method", "span")

    def __init__(
        self, outbound: Outbound, method: str, target: tuple[str, int | None], peer: str | None, span: Span, *, is_adopted: bool = False
    ) -> None:
        """An adopted span is another instrumentation's to describe and to end."""
        self._is_adopted = is_adopted
        self._outbound = outbound
        self._peer = peer
        self._target = target
        # Below our span no other instrumentation makes one for the same call: upstream's of urllib3 under requests, or of httpx.
        self._token: Token[Context] | None = context.attach(suppressed_http()) if not _OTHERS_BELOW.isdisjoint(sys.modules) else None
        self._started = perf_counter()
        self.method = method
        self.span = span

    def answered(self, status: int) -> None:
        """The response's status line has arrived. 4xx and 5xx are errors of a call (semantic conventions, HTTP client)."""
        self._end(status, str(status) if status >= 400 else None)

    def failed(self, error: BaseException) -> None:
        """No response: the connection failed, timed out or was cancelled."""
        self._end(None, type(error).__qualname__)

    def _end(self, status: int | None, error_type: str | None) -> None:
        elapsed = perf_counter() - self._started
        if self._token is not None:
            context.detach(self._token)
        if (request := CURRENT.get()) is not None:
            request.outbound_time += elapsed
        try:
            labels = (self.method, *self._target, status, error_type, self._peer)
            self._outbound.duration.record(elapsed, labels, self.span.get_span_context())
            if self._is_adopted:
                return
            if status is not None:
                self.span.set_attribute("http.response.status_code", status)
            if error_type:
                self.span.set_attribute("error.type", error_type)
                self.span.set_status(Status(StatusCode.ERROR))
            self.span.end()
        except Exception:  # span processors may be the project's own
            logger.exception("otelkit could not record an outbound call; its answer is not affected.")


class Outbound:
    """Begins calls: holds the tracer, the instrument and the names of known peers."""

    def __init__(self, tracer: Tracer, aggregator: Aggregator, peers: Mapping[str, str]) -> None:
        self._tracer = tracer
        self._peers = peers
        self.duration = aggregator.histogram(HTTP_CLIENT_REQUEST_DURATION)

    def begin(self, method: str, url: str, headers: MutableMapping[str, str]) -> Call | None:
        """Starts the span and writes its context into ``headers``. None where nothing is to be traced; never raises.

        Where one of OpenTelemetry's instrumentations has opened a span for this call already, that one is adopted.
        """
        try:
            adopted = open_client_span()
            if adopted is None and is_suppressed():
                return None
            return self._begin(method, url, headers, adopted)
        except Exception:
            logger.exception("otelkit could not follow an outbound call; the call itself is not affected.")
            return None

    def _begin(self, method: str, url: str, headers: MutableMapping[str, str], adopted: Span | None) -> Call:
        parts = urlsplit(url)
        address, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme)
        method = method.upper() if method.upper() in HTTP_REQUEST_METHOD.values else OTHER_METHOD
        peer = self._peers.get(f"{address}:{port}") or self._peers.get(address)
        if adopted is not None:
            if peer:
                adopted.set_attribute("service.peer.name", peer)
            redact_addresses(adopted)
            return Call(self, method, (address, port), peer, adopted, is_adopted=True)
        attributes: dict[str, Any] = {"http.request.method": method, "server.address": address, "url.full": redact_url(url)}
        if port is not None:
            attributes["server.port"] = port
        if peer:
            attributes["service.peer.name"] = peer
        span = self._tracer.start_span(span_name(method), kind=SpanKind.CLIENT, attributes=attributes)
        propagate.inject(headers, context=trace.set_span_in_context(span))
        return Call(self, method, (address, port), peer, span)
