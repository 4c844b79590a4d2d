"""The access line as JSON text, put together from pieces that most lines share.

It is to the byte what the formatter makes of the line's record, but without the record: making one, and looking at each of its twenty
values, costs ten times as much. Every request writes this line, so it is the one that is worth it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from opentelemetry.trace import SpanContext
from structlog.contextvars import get_contextvars

from otelkit.catalog import labels
from otelkit.catalog import logs as keys
from otelkit.logs.line import LEVELS, Line, rfc3339, spelling_of
from otelkit.plain_values import LONGEST_KEY, LONGEST_TEXT, Cleaner
from otelkit.redaction import REDACTED
from otelkit.traces.contexts import span_id_text, trace_id_text

MOST_HEADS = 1024
"""Beginnings of lines that are remembered; a service has as many as it has pairs of route and status."""
_MOST_BOUND = 64
_MOST_BOUND_CHARACTERS = 8_192
"""Of all bound texts together; with more, what the rest of the line may still hold has to be counted."""
_PLAIN = frozenset({str, int, float, bool, type(None)})
_OPEN = (keys.URL_PATH, keys.REQUEST_ID, keys.DB_QUERY_REPEATED_TEXT, keys.DB_QUERY_REPEATED_CALLER)
"""What may hold anything; the others are numbers and words of ours."""
_SHARED_KEYS = (keys.EVENT_NAME, labels.HTTP_REQUEST_METHOD.name, labels.HTTP_ROUTE.name, labels.HTTP_RESPONSE_STATUS_CODE.name)


def access_message(method: str, route: str, status: int | None) -> str:
    """``GET /orders/{pk} 200``."""
    return f"{method} {route} {'-' if status is None else status}"


class AccessText:
    """Writes the access lines of one resource."""

    def __init__(self, resource: Mapping[str, str], encode: Callable[[Line], str]) -> None:
        """``resource`` holds the keys that every line repeats."""
        self._resource = dict(resource)
        self._encode = encode
        self._heads: dict[tuple[str, str, int | None], tuple[str, str]] = {}

    def text(
        self, created: float, level: int, shared: tuple[str, str, int | None], own: dict[str, Any], span: SpanContext | None
    ) -> str | None:
        """The line, or None where the long way must be taken: what the project has bound to the context needs more care, or it is too long.

        ``shared`` are method, route and status; ``own`` holds what is only this request's.
        """
        bound = get_contextvars()
        cleaner = Cleaner()
        between = ""
        if bound:
            line = _bound_keys(bound, cleaner) if bound.keys().isdisjoint(own) else None
            if line is None:
                return None
            between = f"{self._encode(line)[1:-1]},"
        head = self._heads.get(shared) or self._head(level, shared)
        trace = span_id = ""
        if span is not None:
            span_id = span_id_text(span)
            trace = f'"trace_id":"{trace_id_text(span)}","span_id":"{span_id}","trace_sampled":{"true" if span[3] & 1 else "false"},'
        for key in _OPEN:
            value = own.get(key)
            if value is not None and value != span_id:
                if len(value) > LONGEST_TEXT:
                    return None
                own[key] = cleaner.text(value)
        return f'{{"timestamp":"{rfc3339(created)}",{head[0]}{trace}{between}{head[1]}{self._encode(own)[1:]}'

    def _head(self, level: int, shared: tuple[str, str, int | None]) -> tuple[str, str]:
        """What comes before the trace, and what comes before the request's own."""
        if len(self._heads) >= MOST_HEADS:
            self._heads.clear()
        cleaner = Cleaner()
        method, route, status = shared
        message = cleaner.text(access_message(*shared))
        who: Line = {keys.LEVEL: LEVELS[level], keys.MESSAGE: message, keys.LOGGER: keys.ACCESS_LOGGER, **self._resource}
        what: Line = {
            keys.EVENT_NAME: keys.ACCESS_EVENT,
            labels.HTTP_REQUEST_METHOD.name: cleaner.value(method),
            labels.HTTP_ROUTE.name: cleaner.value(route),
        }
        if status is not None:
            what[labels.HTTP_RESPONSE_STATUS_CODE.name] = status
        head = self._heads[shared] = (f"{self._encode(who)[1:-1]},", f"{self._encode(what)[1:-1]},")
        return head


def _bound_keys(bound: dict[str, Any], cleaner: Cleaner) -> Line | None:
    """What the project has bound to the context, as the line spells it; None where that needs more care."""
    if len(bound) > _MOST_BOUND or not bound.keys().isdisjoint(_SHARED_KEYS):
        return None
    line: Line = {}
    characters = 0
    for key, value in bound.items():
        kind = type(value)
        if kind not in _PLAIN or len(key) > LONGEST_KEY:
            return None
        if kind is str:
            characters += len(value)
        name, is_secret = spelling_of(key)
        line[name] = REDACTED if is_secret else cleaner.value(value)
    return line if characters <= _MOST_BOUND_CHARACTERS else None
