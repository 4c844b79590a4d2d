"""Names and values of tags: what there is to ask for, and Tempo's search from before TraceQL."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from otelkit_stack.traceql import syntax as s
from otelkit_stack.traceql.columns import concern_traces
from otelkit_stack.traceql.fields import holds
from otelkit_stack.traceql.lookup import lookup_of
from otelkit_stack.traceql.pushdown import needed
from otelkit_stack.traceql.reading import Source
from otelkit_stack.traceql.search import Window, matching_traces
from otelkit_stack.traceql.spans import Span
from otelkit_stack.traceql.values import Array, Many, Value, single, text_of

MOST_SPANS = 100_000
"""The newest spans that are asked for names and values; what only older ones have is not offered."""
MOST_VALUES = 1_000
SCOPES: tuple[s.Scope, ...] = ("event", "instrumentation", "link", "resource", "span")
INTRINSICS = (
    "duration", "event:name", "event:timeSinceStart", "instrumentation:name", "instrumentation:version", "kind", "link:spanID",
    "link:traceID", "name", "rootName", "rootServiceName", "span:duration", "span:id", "span:kind", "span:name", "span:parentID",
    "span:status", "span:statusMessage", "status", "statusMessage", "trace:duration", "trace:id", "trace:rootName", "trace:rootService",
    "traceDuration",
)  # fmt: skip
"""As Tempo offers them."""

# What the search from before TraceQL called the intrinsics.
_OLD_NAMES = {
    "name": "name",
    "status.code": "status",
    "status": "status",
    "kind": "kind",
    "root.name": "rootName",
    "root.service.name": "rootServiceName",
    "rootName": "rootName",
    "rootServiceName": "rootServiceName",
}
# A list of all ids or durations helps nobody to choose one; Tempo offers none either.
_WITHOUT_VALUES = frozenset({"duration", "traceDuration", "trace:id", "span:id", "span:parentID", "event:timeSinceStart", "link:spanID"})


def old_attribute(name: str) -> s.Attribute:
    """The attribute or intrinsic that the search from before TraceQL meant."""
    return s.Attribute("intrinsic", _OLD_NAMES[name]) if name in _OLD_NAMES else s.Attribute("", name)


def tag_test(name: str, value: str) -> Callable[[Span], bool]:
    """Whether a span or its resource has that tag: a text holds the value somewhere in it, anything else is written as the value."""
    if name == "error" and value == "true":
        return lambda span: text_of(span.status) == "error"
    lookup = lookup_of(old_attribute(name))

    def fits(span: Span) -> bool:
        found = lookup(span)
        values = found if isinstance(found, Many) else (found,)
        return any(value in one if isinstance(one, str) else one is not None and text_of(one) == value for one in values)

    return fits


# An attribute without a scope needs every column that attributes are in.
_EVERYTHING = (s.Attribute("", ""),)


def tag_names(source: Source, window: Window, pipeline: s.Pipeline | None = None) -> dict[s.Scope, list[str]]:
    """Names of attributes by scope, sorted, of the spans that meet the first condition of the query; no scope is empty."""
    names: dict[s.Scope, set[str]] = {scope: set() for scope in SCOPES}
    with source.bounded():
        owners: set[int] = set()
        for span in _spans(source, window, pipeline, _EVERYTHING):
            names["span"].update(span.attributes)
            if len(span.raw_events) > len("[]"):
                names["event"].update(name for event in span.events for name in event[2])
            if len(span.raw_links) > len("[]"):
                names["link"].update(name for link in span.links for name in link[2])
            if id(span.resource) not in owners or id(span.scope) not in owners:
                owners |= {id(span.resource), id(span.scope)}
                names["resource"].update(span.resource.attributes)
                names["instrumentation"].update(span.scope.attributes)
    return {scope: sorted(found) for scope, found in names.items() if found}


def tag_values(attribute: s.Attribute, source: Source, window: Window, pipeline: s.Pipeline | None = None) -> list[Value]:
    """The values of an attribute, sorted by their text, of the spans that meet the first condition of the query."""
    if attribute.scope == "intrinsic" and attribute.name in _WITHOUT_VALUES:
        return []
    lookup = lookup_of(attribute)
    found: dict[tuple[type, Value], Value] = {}
    with source.bounded():
        if concern_traces([attribute]):
            for trace in matching_traces(s.Pipeline(()), source, window):
                _collect(found, (lookup(trace.spans[0]),))
                if len(found) >= MOST_VALUES or source.spans_read >= MOST_SPANS:
                    break
        else:
            for span in _spans(source, window, pipeline, (attribute,)):
                _collect(found, (lookup(span),))
                if len(found) >= MOST_VALUES:
                    break
    return sorted(found.values(), key=text_of)


def _collect(found: dict[tuple[type, Value], Value], values: Iterable[Value]) -> None:
    for value in values:
        for one in value if isinstance(value, Many | Array) else (value,):
            if one is not None:
                found.setdefault((type(one), one), single(one))


def _spans(source: Source, window: Window, pipeline: s.Pipeline | None, attributes: tuple[s.Attribute, ...]) -> Iterable[Span]:
    """The newest spans of the window; those that meet the condition, where it is one that a span alone can meet."""
    condition = needed(pipeline) if pipeline is not None else None
    if condition is not None and concern_traces(s.attributes_of(condition)):
        condition = None
    fits = holds(condition) if condition is not None else None
    wanted = [*attributes, *s.attributes_of(condition)]
    for span in source.newest_spans(condition, wanted, window.start_ns, window.end_ns, most=MOST_SPANS):
        if fits is None or fits(span):
            yield span
