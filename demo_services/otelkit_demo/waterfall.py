"""One trace on a terminal: its spans as a tree with bars in time, and its log lines where they were written."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table
from rich.text import Text

from otelkit.catalog.logs import LEVEL, TRACE_SAMPLED
from otelkit_stack.records import LogRecord, Span, Trace, TraceNode

BAR = 24
"""Characters that stand for the whole duration of the trace."""

_SEVERITY_STYLES = {"WARN": "yellow", "WARNING": "yellow", "ERROR": "red", "CRITICAL": "red", "FATAL": "red"}


def drawn_trace(trace: Trace) -> Table:
    """The trace, a row for each span and each log line: what, when as a bar, and how long."""
    # Bars and durations keep their width; names give way.
    table = Table.grid(padding=(0, 2), expand=True)
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    table.add_column(no_wrap=True, min_width=BAR)
    table.add_column(no_wrap=True, min_width=9, justify="right")
    if not trace.spans:
        return table
    begin_ns, whole_ns = trace.spans[0].start_ns, max(1, round(trace.duration_s * 1e9))
    for depth, entry in _in_reading_order(trace):
        if isinstance(entry, LogRecord):
            at = milliseconds(max(0, entry.time_ns - begin_ns) / 1e9)
            table.add_row(_drawn_line(entry, depth), "", Text(f"at {at}", "dim"))
        else:
            style = "red" if entry.status == "ERROR" else ""
            bar = Text(_bar(entry, begin_ns, whole_ns), style or ("cyan" if entry.kind == "SERVER" else "blue"))
            table.add_row(_drawn_span(entry, depth, style), bar, milliseconds(entry.duration_s))
    return table


def _in_reading_order(trace: Trace) -> Iterator[tuple[int, Span | LogRecord]]:
    """Each span followed by what happened in it, by time: the spans it called and the lines it wrote, one level deeper."""
    lines: dict[str | None, list[LogRecord]] = {}
    for record in trace.logs:
        lines.setdefault(record.span_id, []).append(record)
    waiting: list[tuple[int, TraceNode | LogRecord]] = [(0, root) for root in reversed(trace.tree())]
    while waiting:
        depth, entry = waiting.pop()
        if isinstance(entry, LogRecord):
            yield depth, entry
            continue
        yield depth, entry.span
        inside: list[TraceNode | LogRecord] = [*entry.children, *lines.get(entry.span.span_id, ())]
        waiting.extend((depth + 1, one) for one in sorted(inside, key=_time, reverse=True))


def _time(entry: TraceNode | LogRecord) -> int:
    return entry.time_ns if isinstance(entry, LogRecord) else entry.span.start_ns


def milliseconds(seconds: float) -> str:
    """A duration as people say it: ``0.8 ms``, ``35 ms``, ``1.25 s``."""
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.01 else f"{seconds * 1000:.1f} ms"


def _drawn_span(span: Span, depth: int, style: str) -> Text:
    return Text.assemble("  " * depth, (span.service, "dim"), " ", (span.name, f"bold {style}" if span.kind == "SERVER" else style))


def _drawn_line(record: LogRecord, depth: int) -> Text:
    said = " ".join(f"{key}={value}" for key, value in record.attributes.items() if _is_the_authors(key))
    style = _SEVERITY_STYLES.get(record.severity.upper(), "dim")
    return Text.assemble("  " * depth, ("· ", "dim"), (record.body, style), (f" {said}", "dim"))


def _is_the_authors(key: str) -> bool:
    # The kit's keys have a dot, except for those that every line carries.
    return "." not in key and key not in (LEVEL, TRACE_SAMPLED)


def _bar(span: Span, begin_ns: int, whole_ns: int) -> str:
    start = min(BAR - 1, round((span.start_ns - begin_ns) / whole_ns * BAR))
    length = max(1, min(BAR - start, round((span.end_ns - span.start_ns) / whole_ns * BAR)))
    return (" " * start + "━" * length).ljust(BAR)
