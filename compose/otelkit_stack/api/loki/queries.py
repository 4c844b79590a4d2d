"""``/loki/api/v1/query`` and ``query_range``."""

from __future__ import annotations

import time

from starlette.responses import Response

from otelkit_stack.api.loki.answers import SECOND_NS, number, seconds, success
from otelkit_stack.api.loki.asked import Asked
from otelkit_stack.api.loki.streams import CATEGORIZE, in_streams
from otelkit_stack.api.parameters import time_parameter
from otelkit_stack.logql import syntax as s
from otelkit_stack.logql.errors import LogQLError
from otelkit_stack.logql.evaluation import Steps, lines, metric
from otelkit_stack.logql.parsing import parse


def instant(asked: Asked) -> Response:
    """Numbers at one moment, now unless ``time`` says another."""
    at = time_parameter(asked.given, "time", time.time_ns())
    query = parse(asked.query)
    if isinstance(query, s.LogQuery):
        raise LogQLError("log queries are not supported as an instant query type, please change your query to a range query type")
    result = metric(query, asked.lines, Steps(at, at, SECOND_NS))
    if isinstance(result, float):
        return success("scalar", [at / 1e9, number(result)])
    vector = [{"metric": dict(labels), "value": [at / 1e9, number(values[0])]} for labels, values, present in result.rows() if present[0]]
    return success("vector", vector)


def over_time(asked: Asked) -> Response:
    """The lines of a time, or numbers at each step of it."""
    start, end = asked.span()
    limit = asked.limit()
    query = parse(asked.query)
    if isinstance(query, s.LogQuery):
        newest_first = asked.given.get("direction", "backward").lower() != "forward"
        found = lines(query, asked.lines, start, end, limit=limit, newest_first=newest_first)
        is_categorized = CATEGORIZE in asked.encoding_flags
        flags = {"encodingFlags": [CATEGORIZE]} if is_categorized else {}
        return success("streams", in_streams(found, is_categorized=is_categorized), **flags)
    step = asked.step(start, end)
    start, end = start // step * step, -(-end // step) * step  # Loki's own alignment, so that the same step has the same number
    result = metric(query, asked.lines, Steps(start, end, step))
    times = Steps(start, end, step).times()
    if isinstance(result, float):
        return success("matrix", [{"metric": {}, "values": [[seconds(int(at)), number(result)] for at in times]}])
    matrix = [
        {
            "metric": dict(labels),
            "values": [[seconds(int(at)), number(value)] for at, value in zip(times[present], values[present], strict=True)],
        }
        for labels, values, present in sorted(result.rows(), key=lambda row: row[0])
    ]
    return success("matrix", matrix)
