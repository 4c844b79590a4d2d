"""``/api/v1/query``, ``query_range``, ``format_query`` and ``parse_query``."""

from __future__ import annotations

import time
from typing import Any

from otelkit_stack.api.prometheus.asked import TRUNCATED, Asked
from otelkit_stack.api.prometheus.parameters import Given, invalid, length_ms, limit_of, text_of, time_ms
from otelkit_stack.promql.answers import success
from otelkit_stack.promql.described import described
from otelkit_stack.promql.errors import ParseError
from otelkit_stack.promql.grammar import parse
from otelkit_stack.promql.limits import Options
from otelkit_stack.promql.printing import pretty
from otelkit_stack.promql.results import Result


def instant(given: Given, asked: Asked) -> object:
    """The query's answer at one moment, now unless ``time`` says another."""
    limit, at = limit_of(given), time_ms(given, "time", time.time_ns() // 1_000_000)
    return _cut(asked.engine(_options(given)).instant(text_of(given, "query"), at), limit)


def at_steps(given: Given, asked: Asked) -> object:
    """The query's answer from ``start`` to ``end``, a value at each ``step``."""
    limit = limit_of(given)
    start, end, step = time_ms(given, "start"), time_ms(given, "end"), length_ms(given, "step")
    return _cut(asked.engine(_options(given)).range(text_of(given, "query"), start, end, step), limit)


def formatted(given: Given, _asked: Asked) -> object:
    """The query as Prometheus writes it."""
    try:
        return {"status": "success", "data": pretty(parse(text_of(given, "query")))}
    except ParseError as error:
        invalid("query", str(error))


def parsed(given: Given, _asked: Asked) -> object:
    """The query as a tree, for editors."""
    try:
        return {"status": "success", "data": described(parse(text_of(given, "query")))}
    except ParseError as error:
        invalid("query", str(error))


def _options(given: Given) -> Options:
    options = Options()
    timeout_s, lookback_ms = options.timeout_s, options.lookback_ms
    if text_of(given, "timeout"):
        timeout_s = min(timeout_s, length_ms(given, "timeout") / 1000)
    if text_of(given, "lookback_delta"):
        lookback_ms = length_ms(given, "lookback_delta") or lookback_ms
        if lookback_ms < 0:
            invalid("lookback_delta", "negative lookback delta is not allowed")
    return Options(lookback_ms=lookback_ms, timeout_s=timeout_s)


def _cut(result: Result, limit: int) -> dict[str, Any]:
    body = success(result)
    found = body["data"]["result"]
    if body["data"]["resultType"] in ("vector", "matrix") and 0 < limit < len(found):
        body["data"]["result"] = found[:limit]
        body["warnings"] = [*body.get("warnings", ()), TRUNCATED]
    return body
