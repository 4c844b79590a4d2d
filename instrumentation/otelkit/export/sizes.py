"""How much memory a span or a log record holds while it waits: near enough to bound a queue, quick enough for a request's way."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from sys import getsizeof
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan

from otelkit.logs.item import LogItem
from otelkit.traces.span import LONGEST_SMALL_TEXT, RecordingSpan

SPAN = 3_000
"""Bytes of a span with ten short attributes."""
RECORD = 1_500
"""Bytes of a log record with ten short attributes."""
_PAIR = 200
"""Bytes of an attribute of an event or a link, its key and its share of the table included."""
_SHORT = LONGEST_SMALL_TEXT
"""Characters of a text that those numbers include."""
_MOST_VALUES = 10_000
"""Values looked at of one attribute."""
_SMALL = frozenset({int, bool, float, type(None)})
_BUILT_IN = _SMALL | {str, bytes, list, tuple, dict}


_read = attrgetter("_attributes._dict", "_events._dq", "_links._dq")  # as in `spans`: the properties would copy it all, only to look at it


def size_of_span(span: ReadableSpan | RecordingSpan) -> int:
    """Bytes, about."""
    attributes: Any
    events: Any
    links: Any
    if type(span) is RecordingSpan:
        if span.is_small:
            return SPAN
        attributes, events, links = span.attributes, span.events, span.links
    else:
        try:
            attributes, events, links = _read(span)
        except AttributeError:  # made by other hands, or by an SDK that renamed its fields
            attributes, events, links = dict(span.attributes or {}), span.events, span.links
    size = SPAN + _of_values(attributes.values())
    for item in (*events, *links) if events or links else ():
        size += SPAN // 3 + _of_pairs(item.attributes)
    return size


def size_of_record(item: LogItem) -> int:
    """Bytes, about."""
    return RECORD + len(item.body) + _of_values(item.attributes.values())


def _of_pairs(attributes: Any) -> int:
    return _PAIR * len(attributes) + _of_values(attributes.values()) if attributes else 0


def _of_values(values: Iterable[Any]) -> int:
    size = 0
    for value in values:
        kind = type(value)
        if kind is str:
            if len(value) > _SHORT:
                size += getsizeof(value)
        elif kind not in _SMALL:
            size += _of_other(value)
    return size


def _of_other(value: Any) -> int:
    """A list, a dictionary, bytes: everything in it, without recursion, for it may be deep."""
    size, open_, looked_at = 0, [value], 0
    while open_ and looked_at < _MOST_VALUES:
        found = open_.pop()
        looked_at += 1
        size += getsizeof(found) if type(found) in _BUILT_IN else _PAIR  # of others it is their own code that answers
        if type(found) in (list, tuple):
            open_.extend(found[:_MOST_VALUES])
        elif type(found) is dict:
            open_.extend(found.values())
    return size
