"""An outbound HTTP call: client span, trace headers, duration. What every HTTP library's file shares."""

from __future__ import annotations

import logging
from collections.abc import Mapping, MutableMapping
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

from opentelemetry import propagate, trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer

from otelkit.catalog.labels import HTTP_REQUEST_METHOD, OTHER_METHOD
from otelkit.catalog.metrics import HTTP_CLIENT_REQUEST_DURATION
from otelkit.metrics.aggregator import Aggregator
from otelkit.redaction import redact_url
from otelkit.request.state import CURRENT
from otelkit.traces.names import span_name
from otelkit.traces.suppression import is_suppressed

logger = logging.getLogger("otelkit.outbound")

_PORTS = {"http": 80, "https": 443}


class Call:
    """One call under way; ends with :meth:`answered` or :meth:`failed`."""

    __slots__ = ("_outbound", "_peer", "_started", "_target", "method", "span")

    def __init__(self, outbound: Outbound, method: str, target: tuple[str, int | None], peer: str | None, span: Span) -> None:
        self._outbound = outbound
        self._peer = peer
        self._target = target
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
        if (request := CURRENT.get()) is not None:
            request.outbound_time += elapsed
        try:
            labels = (self.method, *self._target, status, error_type, self._peer)
            self._outbound.duration.record(elapsed, labels, self.span.get_span_context())
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
        """Starts the span and writes its context into ``headers``. None where nothing is to be traced; never raises."""
        if is_suppressed():
            return None
        try:
            return self._begin(method, url, headers)
        except Exception:
            logger.exception("otelkit could not follow an outbound call; the call itself is not affected.")
            return None

    def _begin(self, method: str, url: str, headers: MutableMapping[str, str]) -> Call:
        parts = urlsplit(url)
        address, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme)
        method = method.upper() if method.upper() in HTTP_REQUEST_METHOD.values else OTHER_METHOD
        peer = self._peers.get(f"{address}:{port}") or self._peers.get(address)
        attributes: dict[str, Any] = {"http.request.method": method, "server.address": address, "url.full": redact_url(url)}
        if port is not None:
            attributes["server.port"] = port
        if peer:
            attributes["service.peer.name"] = peer
        span = self._tracer.start_span(span_name(method), kind=SpanKind.CLIENT, attributes=attributes)
        propagate.inject(headers, context=trace.set_span_in_context(span))
        return Call(self, method, (address, port), peer, span)
