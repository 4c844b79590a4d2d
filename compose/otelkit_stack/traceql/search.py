"""The answer to a search: traces, newest first, each with the sets of spans it was found by."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from otelkit_stack.traceql import syntax as s
from otelkit_stack.traceql.pipeline import Spanset, runner
from otelkit_stack.traceql.pushdown import needed
from otelkit_stack.traceql.reading import Source
from otelkit_stack.traceql.spans import Trace

_LARGEST_BATCH = 256


@dataclass(frozen=True, slots=True)
class Window:
    """Unix nanoseconds; a trace belongs to it that has any moment in it."""

    start_ns: int
    end_ns: int

    def touches(self, trace: Trace) -> bool:
        """Whether the trace has a moment in it."""
        return trace.start_ns <= self.end_ns and trace.start_ns + trace.duration_ns >= self.start_ns


@dataclass(frozen=True, slots=True)
class Found:
    """A trace, and the sets of its spans that came through; each set has at least one."""

    trace: Trace
    spansets: list[Spanset]


def search(pipeline: s.Pipeline, source: Source, window: Window, *, limit: int) -> list[Found]:
    """The first ``limit`` traces that come through, by the newest span that says so; of those, the one that began last comes first."""
    run = runner(pipeline)

    def evaluated(trace: Trace) -> Found | None:
        sets = [one for one in run([Spanset(trace.spans)]) if one.spans]
        return Found(trace, sets) if sets else None

    return _collected(evaluated, needed(pipeline), source, window, limit)


def search_traces(fits: Callable[[Trace], bool], source: Source, window: Window, *, limit: int) -> list[Found]:
    """The same for a condition of the trace as a whole; nothing tells spans apart then."""
    return _collected(lambda trace: Found(trace, []) if fits(trace) else None, None, source, window, limit)


def matching_traces(pipeline: s.Pipeline, source: Source, window: Window) -> Iterator[Trace]:
    """All traces of the window that could come through the query."""
    for ids in _batches(source.newest(needed(pipeline), window.start_ns, window.end_ns), _LARGEST_BATCH):
        yield from (trace for trace in source.traces(ids) if window.touches(trace))


def _collected(
    evaluated: Callable[[Trace], Found | None], condition: s.Field | None, source: Source, window: Window, limit: int
) -> list[Found]:
    found: list[Found] = []
    with source.bounded():
        for ids in _batches(source.newest(condition, window.start_ns, window.end_ns), limit):
            for trace in source.traces(ids):
                if len(found) < limit and window.touches(trace) and (one := evaluated(trace)) is not None:
                    found.append(one)
            source.check_time()
            if len(found) >= limit:
                break
    return sorted(found, key=lambda one: -one.trace.start_ns)


def _batches(ids: Iterator[bytes], first: int) -> Iterator[Sequence[bytes]]:
    """The ids in lists: at first as few as would do, then more, because most did not."""
    size = min(max(first, 1), _LARGEST_BATCH)
    batch: list[bytes] = []
    for trace_id in ids:
        batch.append(trace_id)
        if len(batch) >= size:
            yield batch
            batch, size = [], min(size * 2, _LARGEST_BATCH)
    if batch:
        yield batch
