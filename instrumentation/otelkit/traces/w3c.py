"""W3C Trace Context (levels 1 and 2) and W3C Baggage, as their specifications say, and silent about what strangers send.

OpenTelemetry's own propagators write the headers they refuse into the log, which anybody can fill so, lose the whole ``tracestate``
over a key that comes twice or that level 1 did not know, read ``+`` in baggage as a space and decode keys, which are never encoded.
Sources: https://www.w3.org/TR/trace-context-2/ and https://www.w3.org/TR/baggage/.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, unquote

from opentelemetry import baggage, trace
from opentelemetry.context import Context
from opentelemetry.propagators.textmap import CarrierT, Getter, Setter, TextMapPropagator, default_getter, default_setter
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, TraceState

from otelkit.redaction import is_sensitive, redact_text

TRACEPARENT, TRACESTATE, BAGGAGE = "traceparent", "tracestate", "baggage"

_LONGEST_TRACEPARENT = 512
"""Version 00 has 55 characters; a later version may add some."""
_LONGEST_HEADER = 8192
"""Characters of a tracestate or baggage header that are read at all."""
_LONGEST_TRACESTATE = 512
"""Characters that are passed on; the specification asks for at least as many."""
_LONG_MEMBER = 128
_MOST_STATE_MEMBERS = 32
_MOST_BAGGAGE_MEMBERS = 180

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_STATE_MEMBER = re.compile(r"([a-z0-9][a-z0-9_\-*/@]{0,255})=([\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e])")
_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"  # noqa: S105  (a token of RFC 9110, no secret)
_OCTETS = r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*"
_BAGGAGE_MEMBER = re.compile(rf"[ \t]*({_TOKEN})[ \t]*=[ \t]*({_OCTETS})[ \t]*((?:;[ \t]*{_TOKEN}[ \t]*(?:=[ \t]*{_OCTETS}[ \t]*)?)*)")
_KEY = re.compile(_TOKEN)
_UNQUOTED = "!#$&'()*+-./:<=>?@[]^_`{|}~"
"""What a baggage value may hold as it is, besides letters and digits."""


class Members(TraceState):
    """A tracestate with any key of level 2; OpenTelemetry's own class refuses those that level 1 did not know."""

    def __init__(self, members: dict[str, str]) -> None:
        super().__init__()
        self._dict = members


class BaggageValue(str):
    """A value that came with properties (``;ttl=30``), which travel on with it."""

    __slots__ = ("properties",)
    properties: str


def read_span_context(traceparent: str, tracestate: str | None) -> SpanContext | None:
    """The caller's span, or None where the header is not valid. A broken ``tracestate`` is left out, the caller kept."""
    if len(traceparent) > _LONGEST_TRACEPARENT:
        return None
    match = _TRACEPARENT.fullmatch(traceparent.strip(" \t"))
    if match is None:
        return None
    version, trace_id, span_id, flags, rest = match.groups()
    if version == "ff" or (version == "00" and rest):
        return None
    context = SpanContext(
        int(trace_id, 16),
        int(span_id, 16),
        is_remote=True,
        # The flags that the specification knows; others must not be passed on.
        trace_flags=TraceFlags(int(flags, 16) & (TraceFlags.SAMPLED | TraceFlags.RANDOM_TRACE_ID)),
        trace_state=Members(read_tracestate(tracestate)) if tracestate else None,
    )
    return context if context.is_valid else None


def read_tracestate(header: str) -> dict[str, str]:
    """The members, at most 32 and 512 characters of them; none where one is broken or there are too many.

    Of a key that comes twice the first is kept: it is the newest. Too long a list loses its members above 128 characters, then its end.
    """
    members: dict[str, str] = {}
    if len(header) > _LONGEST_HEADER:
        return members
    for text in header.split(","):
        member = text.strip(" \t")
        if not member:  # allowed: a proxy that joins headers may leave them
            continue
        match = _STATE_MEMBER.fullmatch(member)
        if match is None:
            return {}
        members.setdefault(match[1], match[2])
    if len(members) > _MOST_STATE_MEMBERS:
        return {}
    return members if _length(members) <= _LONGEST_TRACESTATE else _shortened(members)


def _length(members: Mapping[str, str]) -> int:
    return sum(len(key) + len(value) + 2 for key, value in members.items()) - 1


def _shortened(members: dict[str, str]) -> dict[str, str]:
    kept = {key: value for key, value in members.items() if len(key) + len(value) < _LONG_MEMBER}
    while kept and _length(kept) > _LONGEST_TRACESTATE:
        kept.popitem()
    return kept


def read_baggage(header: str) -> dict[str, str]:
    """The entries that are valid, up to 180 and 8192 characters; of a key that comes twice the last."""
    if len(header) > _LONGEST_HEADER:
        # No entry is taken in part.
        header = header[: _LONGEST_HEADER + 1].rpartition(",")[0]
    found: dict[str, str] = {}
    for text in header.split(","):
        match = _BAGGAGE_MEMBER.fullmatch(text)
        if match is None:
            continue
        key, octets, properties = match.groups()
        value = unquote(octets, errors="replace") if "%" in octets else octets
        if properties:
            value = BaggageValue(value)
            value.properties = properties
        found[key] = value
        if len(found) == _MOST_BAGGAGE_MEMBERS:
            break
    return found


def write_baggage(entries: Mapping[str, object]) -> str:
    """The header, at most 180 entries and 8192 characters. A key that no header can hold (a space in it) stays here, and so do secrets."""
    members: list[str] = []
    length = -1
    for key, value in entries.items():
        # Baggage goes to every service that is called, whoever runs it.
        if not _KEY.fullmatch(key) or is_sensitive(key) or redact_text(text := str(value)) != text:
            continue
        member = f"{key}={quote(text, safe=_UNQUOTED, errors='replace')}{getattr(value, 'properties', '')}"
        if length + 1 + len(member) > _LONGEST_HEADER:
            continue
        length += 1 + len(member)
        members.append(member)
        if len(members) == _MOST_BAGGAGE_MEMBERS:
            break
    return ",".join(members)


def with_baggage(header: str, context: Context) -> Context:
    """The context with the entries of the header."""
    for key, value in read_baggage(header).items():
        context = baggage.set_baggage(key, value, context)
    return context


class W3CPropagator(TextMapPropagator):
    """Both specifications in one propagator, or one of them."""

    def __init__(self, *, has_context: bool = True, has_baggage: bool = True) -> None:
        self._has_context = has_context
        self._has_baggage = has_baggage

    def extract(self, carrier: CarrierT, context: Context | None = None, getter: Getter[CarrierT] = default_getter) -> Context:
        """The context with the caller's span and baggage, where they are valid. Headers of one name count as one, joined by commas."""
        found = Context() if context is None else context
        traceparent = getter.get(carrier, TRACEPARENT) if self._has_context else None
        if traceparent:
            tracestate = getter.get(carrier, TRACESTATE)
            caller = read_span_context(",".join(traceparent), ",".join(tracestate) if tracestate else None)
            if caller is not None:
                found = trace.set_span_in_context(NonRecordingSpan(caller), found)
        entries = getter.get(carrier, BAGGAGE) if self._has_baggage else None
        return with_baggage(",".join(entries), found) if entries else found

    def inject(self, carrier: CarrierT, context: Context | None = None, setter: Setter[CarrierT] = default_setter) -> None:
        """Writes the current span and baggage of the context."""
        span = trace.get_current_span(context).get_span_context()
        if span.is_valid and self._has_context:
            setter.set(carrier, TRACEPARENT, traceparent_of(span))
            if span.trace_state:
                setter.set(carrier, TRACESTATE, span.trace_state.to_header())
        entries = write_baggage(baggage.get_all(context)) if self._has_baggage else ""
        if entries:
            setter.set(carrier, BAGGAGE, entries)

    @property
    def fields(self) -> set[str]:
        """Headers that :meth:`inject` may write."""
        return {*((TRACEPARENT, TRACESTATE) if self._has_context else ()), *((BAGGAGE,) if self._has_baggage else ())}


PROPAGATOR = W3CPropagator()


def traceparent_of(span: SpanContext) -> str:
    """The span as a ``traceparent`` header, version 00."""
    return f"00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}"
