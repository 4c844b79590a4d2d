"""``/api/search``: traces by TraceQL, or by tags as Tempo took them before it.

Source: the answers of Tempo 3.1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from otelkit_stack.api.parameters import BadParameterError
from otelkit_stack.api.tempo_parameters import duration_of, positive_of, tags_of, window_of
from otelkit_stack.api.tempo_values import key_value, present
from otelkit_stack.traceql import syntax as s
from otelkit_stack.traceql.errors import TraceQLError
from otelkit_stack.traceql.lookup import hex_id, lookup_of
from otelkit_stack.traceql.parsing import parse
from otelkit_stack.traceql.pipeline import Spanset
from otelkit_stack.traceql.reading import Source
from otelkit_stack.traceql.search import Found, search, search_traces
from otelkit_stack.traceql.spans import Span, Trace
from otelkit_stack.traceql.tags import tag_test
from otelkit_stack.traceql.values import Status

DEFAULT_LIMIT = 20
MOST_TRACES = 10_000
DEFAULT_SPSS = 3
MOST_SPSS = 1_000
NO_ROOT = "<root span not yet received>"
"""What Tempo calls the service of a trace whose root has not arrived."""

# What a trace or a span says in a field of its own is not repeated among its attributes.
_IN_FIELDS = frozenset({"name", "duration", "traceDuration", "rootName", "rootServiceName", "trace:id", "span:id"})


def search_answer(given: Mapping[str, str], source: Source) -> dict[str, object]:
    """The body of the answer. Raises TraceQLError, TooSlowError, BadParameterError."""
    limit = positive_of(given, "limit", DEFAULT_LIMIT, MOST_TRACES)
    spss = positive_of(given, "spss", DEFAULT_SPSS, MOST_SPSS)
    window = window_of(given)
    text = given.get("q", "").strip()
    if text:
        if given.get("tags"):
            raise BadParameterError("q and tags cannot be asked together: write the tags as conditions of q")
        pipeline = parse(text).body
        if not isinstance(pipeline, s.Pipeline):
            raise TraceQLError("a search gives traces, and this gives numbers over time: ask /api/metrics/query_range")
        shown = _Shown(pipeline)
        traces = [_trace(found, shown, spss) for found in search(pipeline, source, window, limit=limit)]
    else:
        traces = [_head(found.trace) for found in search_traces(_tags_and_durations(given), source, window, limit=limit)]
    metrics = present(inspectedTraces=source.traces_read, inspectedBytes=str(source.bytes_read), completedJobs=1, totalJobs=1)
    return {"traces": traces, "metrics": metrics}


def _tags_and_durations(given: Mapping[str, str]) -> Callable[[Trace], bool]:
    tests = [tag_test(name, value) for name, value in tags_of(given).items()]
    least, most = duration_of(given, "minDuration"), duration_of(given, "maxDuration")
    if least is not None and most is not None and least > most:
        raise BadParameterError("invalid maxDuration: must be greater than minDuration")

    def fits(trace: Trace) -> bool:
        duration = trace.duration_ns
        if (least is not None and duration < least) or (most is not None and duration > most):
            return False
        return all(any(test(span) for span in trace.spans) for test in tests)

    return fits


class _Shown:
    """The attributes that a query speaks of: those are shown of each span."""

    def __init__(self, pipeline: s.Pipeline) -> None:
        selected = {attribute for stage in pipeline.stages if isinstance(stage, s.Select) for attribute in stage.attributes}
        every = dict.fromkeys(s.attributes_of(pipeline))
        self.names_spans = s.Attribute("intrinsic", "name") in every
        # A selected attribute that a span has not is shown as nil, one that is only asked about is not.
        self._lookups = [
            (attribute.name, lookup_of(attribute), attribute in selected)
            for attribute in every
            if attribute.scope != "intrinsic" or attribute.name not in _IN_FIELDS
        ]

    def of(self, span: Span) -> list[dict[str, object]]:
        """The span's values of them."""
        values = ((name, lookup(span), always) for name, lookup, always in self._lookups)
        return [key_value(name, value) for name, value, always in values if always or value is not None]


def _trace(found: Found, shown: _Shown, spss: int) -> dict[str, object]:
    sets = [_spanset(one, shown, spss) for one in found.spansets]
    return {**_head(found.trace), "spanSet": sets[0], "spanSets": sets, "serviceStats": _services(found.trace)}


def _head(trace: Trace) -> dict[str, object]:
    root = trace.root
    return present(
        traceID=hex_id(trace.spans[0].trace_id),
        rootServiceName=root.service if root is not None else NO_ROOT,
        rootTraceName=root.name if root is not None else "",
        startTimeUnixNano=str(trace.start_ns),
        durationMs=trace.duration_ns // 1_000_000,
    )


def _spanset(spanset: Spanset, shown: _Shown, spss: int) -> dict[str, object]:
    spans = [
        present(
            spanID=span.span_id.hex(),
            name=span.name if shown.names_spans else "",
            startTimeUnixNano=str(span.start_ns),
            durationNanos=str(span.duration_ns) if span.duration_ns else "",
            attributes=shown.of(span),
        )
        for span in spanset.spans[:spss]
    ]
    attributes = [key_value(name, value) for name, value in spanset.attributes.items()]
    return present(spans=spans, matched=len(spanset.spans), attributes=attributes)


def _services(trace: Trace) -> dict[str, dict[str, object]]:
    counts: dict[str, list[int]] = {}
    for span in trace.spans:
        of_service = counts.setdefault(span.service, [0, 0])
        of_service[0] += 1
        of_service[1] += span.status is Status.ERROR
    return {service: present(spanCount=spans, errorCount=errors) for service, (spans, errors) in counts.items()}
