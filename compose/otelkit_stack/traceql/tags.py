"""Names and values of tags: what there is to ask for, and Tempo's search from before TraceQL."""

from __future__ import annotations

from collections.abc import Callable

from otelkit_stack.traceql.lookup import lookup_of
from otelkit_stack.traceql.spans import Span
from otelkit_stack.traceql.syntax import Attribute
from otelkit_stack.traceql.values import Many, single, text_of

# What the search from before TraceQL called the intrinsics.
_OLD_NAMES = {
    "name": "name",
    "status.code": "status",
    "status": "status",
    "root.name": "rootName",
    "root.service.name": "rootServiceName",
    "rootName": "rootName",
    "rootServiceName": "rootServiceName",
}


def tag_test(name: str, value: str) -> Callable[[Span], bool]:
    """Whether a span or its resource has that tag: a text holds the value somewhere in it, anything else is written as the value."""
    if name == "error":
        return lambda span: text_of(span.status) == "error" or text_of(single(lookup_of(Attribute("span", "error"))(span))) == value
    lookup = lookup_of(Attribute("intrinsic", _OLD_NAMES[name]) if name in _OLD_NAMES else Attribute("", name))

    def fits(span: Span) -> bool:
        found = lookup(span)
        values = found if isinstance(found, Many) else (found,)
        return any(value in one if isinstance(one, str) else one is not None and text_of(one) == value for one in values)

    return fits
