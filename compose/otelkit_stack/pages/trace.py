"""The page of one trace: its spans as a tree, each with its log lines."""

from __future__ import annotations

from collections.abc import Iterator

from otelkit_stack.pages.html import Markup, document, element
from otelkit_stack.pages.quantities import duration_text
from otelkit_stack.records import LogRecord, Span, Trace

_DEEPEST_INDENT = 40


def trace_page(trace: Trace) -> Markup:
    """The page; log lines of the trace that belong to none of its spans come last."""
    root = trace.root
    by_span: dict[str | None, list[LogRecord]] = {}
    known = {span.span_id for span in trace.spans}
    for record in trace.logs:
        by_span.setdefault(record.span_id if record.span_id in known else None, []).append(record)
    rows = [row for node in trace.tree() for depth, below in node.walk() for row in _rows(below.span, depth, trace, by_span)]
    orphans = by_span.get(None, [])
    return document(
        root.name if root and root.name else "Trace",
        element("p", f"{trace.trace_id} · {len(trace.spans)} spans · {len(trace.logs)} log lines · {duration_text(trace.duration_s)}"),
        element("ol", rows, class_="tree"),
        *([element("h2", "Log lines outside these spans"), element("ol", map(_log_line, orphans), class_="tree")] if orphans else []),
    )


def _rows(span: Span, depth: int, trace: Trace, logs: dict[str | None, list[LogRecord]]) -> Iterator[Markup]:
    indent = f"--depth: {min(depth, _DEEPEST_INDENT)}"
    start = (span.start_ns - trace.spans[0].start_ns) / 1e9
    yield element(
        "li",
        element("span", span.service, class_="service"),
        element("span", span.name or "(no name)", class_="error" if span.status == "ERROR" else "name"),
        element("span", span.kind.lower(), class_="kind"),
        element("span", f"{duration_text(span.duration_s)} at +{duration_text(start)}", class_="time"),
        element("details", element("summary", "attributes"), _attributes(span)),
        style=indent,
    )
    for record in logs.get(span.span_id, ()):
        yield element("li", _log_line(record), style=indent, class_="log")


def _attributes(span: Span) -> Markup:
    lines = [f"{name} = {value}" for name, value in sorted(span.attributes.items())]
    if span.status_message:
        lines.append(f"status = {span.status_message}")
    lines += [f"event {event.name}: {name} = {value}" for event in span.events for name, value in event.attributes.items()]
    return element("pre", "\n".join(lines))


def _log_line(record: LogRecord) -> Markup:
    return element("span", element("b", record.severity, class_="severity"), " ", record.body, class_="line")
