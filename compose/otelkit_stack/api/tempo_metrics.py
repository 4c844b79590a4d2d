"""``/api/metrics/query_range`` and ``/api/metrics/query``: numbers over time, made of spans.

Source: the answers of Tempo 3.1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from otelkit_stack.api.parameters import BadParameterError
from otelkit_stack.api.tempo_parameters import count_of, duration_of, range_of
from otelkit_stack.api.tempo_values import key_value, present
from otelkit_stack.traceql import syntax as s
from otelkit_stack.traceql.aggregation import MOST_EXEMPLARS
from otelkit_stack.traceql.errors import TraceQLError
from otelkit_stack.traceql.metrics import over_time
from otelkit_stack.traceql.parsing import parse
from otelkit_stack.traceql.reading import Source
from otelkit_stack.traceql.series import Series
from otelkit_stack.traceql.steps import Steps, aligned, default_step_ns, instant


def range_answer(given: Mapping[str, str], source: Source) -> dict[str, object]:
    """A number at each step. Raises TraceQLError, TooSlowError, BadParameterError."""
    metrics = _metrics(given)
    start, end = range_of(given)
    step = duration_of(given, "step") or default_step_ns(start, end)
    if step < 0:
        raise BadParameterError("step must be greater than 0")
    steps = aligned(start, end, step)
    exemplars = count_of(given, "exemplars", MOST_EXEMPLARS)
    series = [_shown(one, steps) for one in over_time(metrics, source, steps, exemplars=exemplars)]
    return {"series": series, "metrics": _inspected(source)}


def instant_answer(given: Mapping[str, str], source: Source) -> dict[str, object]:
    """One number for all of the time."""
    metrics = _metrics(given)
    steps = instant(*range_of(given))
    series = [
        {"labels": [key_value(name, value) for name, value in one.labels], "value": _finite(one.values[0])}
        for one in over_time(metrics, source, steps, exemplars=0)
    ]
    return {"series": series, "metrics": _inspected(source)}


def _metrics(given: Mapping[str, str]) -> s.Metrics:
    body = parse(given.get("q") or given.get("query") or "").body
    if isinstance(body, s.Pipeline):
        raise TraceQLError("not a metrics query: it gives traces; add rate(), or ask /api/search")
    return body


def _shown(series: Series, steps: Steps) -> dict[str, object]:
    # As in protobuf's JSON a number that is zero is left out.
    samples = [
        present(timestampMs=str(steps.time_ms(place)), value=_finite(value))
        for place, value in enumerate(series.values)
        if not math.isnan(value)
    ]
    exemplars = []
    for exemplar in series.exemplars:
        place = steps.place(exemplar.time_ns)
        value = series.values[place] if exemplar.value is None else exemplar.value
        if math.isnan(series.values[place]):
            continue
        time_ms = steps.time_ms(place) if exemplar.value is None else exemplar.time_ns // 1_000_000
        exemplars.append(
            {"labels": [key_value(*pair) for pair in exemplar.labels], **present(value=_finite(value), timestampMs=str(time_ms))}
        )
    labels = [key_value(name, value) for name, value in series.labels]
    return present(labels=labels, samples=samples, exemplars=exemplars)


def _finite(value: float) -> float | str:
    return value if math.isfinite(value) else "Infinity" if value > 0 else "-Infinity"


def _inspected(source: Source) -> dict[str, object]:
    return present(inspectedBytes=str(source.bytes_read), completedJobs=1, totalJobs=1)
