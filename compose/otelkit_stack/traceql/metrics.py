"""The answer to a query for numbers over time."""

from __future__ import annotations

from collections.abc import Iterator

from otelkit_stack.traceql import syntax as s
from otelkit_stack.traceql.aggregation import MOST_EXEMPLARS, Aggregation
from otelkit_stack.traceql.columns import columns_for, concern_traces
from otelkit_stack.traceql.comparing import ComparisonOfSpans
from otelkit_stack.traceql.fields import holds
from otelkit_stack.traceql.pipeline import Spanset, runner
from otelkit_stack.traceql.pushdown import narrowed, needed, of_spans
from otelkit_stack.traceql.reading import Source
from otelkit_stack.traceql.search import Window, matching_traces
from otelkit_stack.traceql.series import Series, combined, processed
from otelkit_stack.traceql.spans import Span
from otelkit_stack.traceql.steps import Steps


def over_time(metrics: s.Metrics, source: Source, steps: Steps, *, exemplars: int = MOST_EXEMPLARS) -> list[Series]:
    """The series, sorted by their labels. Raises TraceQLError and TooSlowError."""
    with source.bounded():
        return _over_time(metrics, source, steps, exemplars)


def _over_time(metrics: s.Metrics, source: Source, steps: Steps, exemplars: int) -> list[Series]:
    if isinstance(metrics, s.MetricsOperation):
        left, right = (_over_time(side, source, steps, exemplars) for side in (metrics.left, metrics.right))
        return processed(combined(metrics.operator, left, right), metrics.second)
    aggregation: Aggregation | ComparisonOfSpans
    if isinstance(metrics.aggregation, s.Comparison):
        aggregation = ComparisonOfSpans(metrics.aggregation, steps)
    else:
        aggregation = Aggregation(metrics.aggregation, steps, s.attributes_of(metrics), exemplars=exemplars)
    if steps.count:
        for span in _spans(metrics, source, steps):
            aggregation.observe(span)
    return processed(aggregation.series(), metrics.second)


def _spans(metrics: s.MetricsPipeline, source: Source, steps: Steps) -> Iterator[Span]:
    """The spans that come through; of those that did not start in time some may be among them."""
    conditions = _conditions(metrics.pipeline)
    attributes = [attribute for node in (*(conditions or ()), metrics.aggregation) for attribute in s.attributes_of(node)]
    if conditions is None or concern_traces(attributes) or isinstance(metrics.aggregation, s.Comparison):
        run = runner(metrics.pipeline)
        for trace in matching_traces(metrics.pipeline, source, Window(steps.start_ns, steps.end_ns)):
            yield from (span for one in run([Spanset(trace.spans)]) for span in one.spans)
        return
    where = narrowed(needed(metrics.pipeline), source.owners)
    tests = [holds(condition) for condition in conditions if condition != s.Static(True)]
    for span in source.started(columns_for(attributes), where, steps.start_ns, steps.end_ns):
        if all(test(span) for test in tests):
            yield span


def _conditions(pipeline: s.Pipeline) -> list[s.Field] | None:
    """The conditions of a pipeline that looks at each span by itself; None for one that looks at traces."""
    conditions = []
    for stage in pipeline.stages:
        if isinstance(stage, s.Filter):
            conditions.append(of_spans(stage.condition))
        elif not isinstance(stage, s.Select):
            return None
    return conditions
