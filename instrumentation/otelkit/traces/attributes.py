"""Attributes made plain when they are set, in the thread that sets them.

What shows itself only when it is sent would run the project's code in the export thread: a lazy text in that thread's language, a model's
``__str__`` with a query of its own, a value that logs and waits for a lock that the request holds.
"""

from __future__ import annotations

from typing import Any

from otelkit.plain_values import Cleaner
from otelkit.safe_text import name_of

_PLAIN = frozenset({str, bool, int, float, bytes, type(None)})
_LISTS = frozenset({list, tuple})
_LONGEST_PLAIN = 128
"""Members of a list that are looked at one by one; a longer one is cut as in a log line."""


def plain_attributes(attributes: Any) -> dict[str, Any]:
    """What can be read of the attributes, as values that are themselves whoever looks at them, and whenever."""
    if attributes is None:
        return {}
    try:
        return {
            (key if type(key) is str else name_of(key)): (value if type(value) in _PLAIN else _plain(value))
            for key, value in attributes.items()
        }
    except Exception:  # noqa: BLE001  (no mapping, or one whose methods raise)
        return {}


def exception_attributes(exception: BaseException, attributes: Any, *, escaped: bool) -> dict[str, Any]:
    """Of the event that records an exception on a span, with whatever else its recorder says."""
    from otelkit.logs.exceptions import message_of, stacktrace, type_name  # which know of requests, which know of spans

    return {
        "exception.type": type_name(type(exception)),
        "exception.message": message_of(exception),
        "exception.stacktrace": stacktrace(exception),
        "exception.escaped": str(escaped),
        **plain_attributes(attributes),
    }


def _plain(value: Any) -> Any:
    if type(value) in _LISTS and len(value) <= _LONGEST_PLAIN and all(type(item) in _PLAIN for item in value):
        return tuple(value)
    return Cleaner().value(value)
