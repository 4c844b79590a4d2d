"""The context in which nothing is traced: for excluded requests, and for our own exporting.

OpenTelemetry's instrumentations honour two keys that its API names privately; where a release renames them, only that courtesy is lost.
"""

from __future__ import annotations

from opentelemetry import context
from opentelemetry.context import Context

_FOREIGN_KEYS = tuple(
    key
    for name in ("_SUPPRESS_INSTRUMENTATION_KEY", "_SUPPRESS_HTTP_INSTRUMENTATION_KEY")
    if (key := getattr(context, name, None)) is not None
)
_HTTP_KEY = getattr(context, "_SUPPRESS_HTTP_INSTRUMENTATION_KEY", None)
_KEY = context.create_key("otelkit-suppressed")
_KEYS = frozenset((_KEY, *_FOREIGN_KEYS))


def suppressed(base: Context | None = None) -> Context:
    """A copy of the context, the current one by default, in which instrumentations stay silent."""
    found = context.set_value(_KEY, True, base)
    for key in _FOREIGN_KEYS:
        found = context.set_value(key, True, found)
    return found


def suppressed_http() -> Context:
    """A copy of the current context in which other instrumentations of HTTP clients stay silent: a span for the call is there."""
    return context.get_current() if _HTTP_KEY is None else context.set_value(_HTTP_KEY, True)


def is_suppressed(base: Context | None = None) -> bool:
    """Whether the context, the current one by default, asks for silence, by our key or by OpenTelemetry's."""
    found = context.get_current() if base is None else base
    # Nearly always there is none of the keys, and every query asks.
    return not _KEYS.isdisjoint(found) and any(found.get(key) for key in _KEYS)
