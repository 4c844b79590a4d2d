"""What the headers of a request say about its caller, and whether they are believed."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any

from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.propagators.textmap import Getter
from opentelemetry.trace import NonRecordingSpan, SpanContext

from otelkit.config import Requests
from otelkit.traces.w3c import PROPAGATOR, read_span_context, with_baggage

logger = logging.getLogger("otelkit.request")

_NOBODY = Context()
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_LONGEST_QUEUE = 3600.0
"""Seconds; what claims to have waited longer has a broken clock."""

_MICROSECONDS, _MILLISECONDS = 1e14, 1e11
"""From here on a number of seconds since 1970 would lie beyond the year 5000, so it is one of smaller units."""


class MetaGetter(Getter[Mapping[str, Any]]):
    """Reads propagation headers out of Django's ``request.META``."""

    def get(self, carrier: Mapping[str, Any], key: str) -> list[str] | None:
        value = carrier.get(meta_key(key))
        return None if value is None else [str(value)]

    def keys(self, carrier: Mapping[str, Any]) -> list[str]:
        return [key[5:].replace("_", "-").lower() for key in carrier if key.startswith("HTTP_")]


def meta_key(header: str) -> str:
    """The header's name in ``request.META``."""
    return "HTTP_" + header.upper().replace("-", "_")


_getter = MetaGetter()


class Incoming:
    """Reads what callers send. Whom to believe is decided once, here."""

    def __init__(self, config: Requests) -> None:
        self._believes = _belief(config)
        self._id_key = meta_key(config.request_id_header) if config.request_id_header else ""

    def parent(self, meta: Mapping[str, Any]) -> tuple[Context, SpanContext | None]:
        """The context in which the request goes on, and the span of a caller that is not believed, to be linked. Never raises."""
        if propagate.get_global_textmap() is PROPAGATOR:
            traceparent, entries = meta.get("HTTP_TRACEPARENT"), meta.get("HTTP_BAGGAGE")
            if not traceparent and not entries:
                return _NOBODY, None
            caller = read_span_context(traceparent, meta.get("HTTP_TRACESTATE")) if traceparent else None
            if not self.believes(meta):
                return _NOBODY, caller
            context = trace.set_span_in_context(NonRecordingSpan(caller), _NOBODY) if caller else _NOBODY
            return (with_baggage(entries, context) if entries else context), None
        return self._parent_by_project(meta)

    def _parent_by_project(self, meta: Mapping[str, Any]) -> tuple[Context, SpanContext | None]:
        try:
            context = propagate.extract(meta, context=Context(), getter=_getter)
        except Exception as error:  # noqa: BLE001 - a propagator of the project's; its message may hold what the caller sent
            logger.debug("Incoming trace headers could not be read (%s); a new trace begins.", type(error).__qualname__)
            return _NOBODY, None
        if self.believes(meta):
            return context, None
        caller = trace.get_current_span(context).get_span_context()
        return _NOBODY, caller if caller.is_valid else None

    def believes(self, meta: Mapping[str, Any]) -> bool:
        """Whether the headers of this request are believed. Decided by the socket's other end, never by a header."""
        believes = self._believes
        return believes if isinstance(believes, bool) else believes(str(meta.get("REMOTE_ADDR") or ""))

    def request_id(self, meta: Mapping[str, Any]) -> str | None:
        """The id that the caller gave the request, if it is one and is believed (C5)."""
        given = meta.get(self._id_key)
        return given if given and _REQUEST_ID.fullmatch(given) and self.believes(meta) else None

    def queued(self, meta: Mapping[str, Any]) -> float | None:
        """Seconds between the proxy that took the request and now, where one says when that was (X-Request-Start, X-Queue-Start)."""
        text = meta.get("HTTP_X_REQUEST_START") or meta.get("HTTP_X_QUEUE_START")
        if not text or not self.believes(meta):
            return None
        return queue_seconds(text, time.time())


def queue_seconds(header: str, now: float) -> float | None:
    """Seconds from the time in the header until ``now`` (Unix seconds); None where the header makes no sense.

    Proxies write seconds with a fraction (nginx ``t=${msec}``), milliseconds (Heroku) or microseconds (Apache ``t=%t``).
    A clock that is a little ahead of ours means no wait.
    """
    try:
        stamp = float(header[:40].strip().removeprefix("t="))
    except ValueError:
        return None
    if stamp > _MICROSECONDS:
        stamp /= 1e6
    elif stamp > _MILLISECONDS:
        stamp /= 1e3
    waited = now - stamp
    return max(waited, 0.0) if abs(waited) <= _LONGEST_QUEUE else None  # also refuses NaN


def _belief(config: Requests) -> bool | Callable[[str], bool]:
    if config.trust_incoming != "networks":
        return config.trust_incoming == "always"
    networks = [ip_network(network, strict=False) for network in config.trusted_networks]

    @lru_cache(maxsize=4096)
    def believes(peer: str) -> bool:
        try:
            # A Unix socket has no address: whoever reached it is on this machine.
            address = ip_address(peer.partition("%")[0] if peer else "127.0.0.1")
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in networks)

    return believes
