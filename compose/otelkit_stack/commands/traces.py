"""What ``otelkit query`` shows of TraceQL: traces, or numbers over time."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Mapping
from typing import Any

from otelkit_stack.commands.asking import ask
from otelkit_stack.commands.tables import clock, number, sparkline, table

_NUMBERS = re.compile(r"\|\s*(rate|compare|\w+_over_time)\s*\(")
_POINTS = 40


def traces_answer(url: str, query: str, *, since_s: float, limit: int, as_json: bool) -> str:
    """The answer to a query of traces, for a terminal. Raises CommandError."""
    end = int(time.time()) + 1
    asked: dict[str, object] = {"q": query, "start": end - int(since_s), "end": end}
    is_of_numbers = _NUMBERS.search(query) is not None
    if is_of_numbers:
        body = ask(url, "/api/metrics/query_range", {**asked, "step": f"{max(1, math.ceil(since_s / _POINTS))}s"})
    else:
        body = ask(url, "/api/search", {**asked, "limit": limit})
    if as_json:
        return json.dumps(body, indent=2)
    return _numbers(body) if is_of_numbers else _traces(body)


def _traces(body: Mapping[str, Any]) -> str:
    rows = [
        [
            str(trace.get("traceID", "")),
            clock(int(trace.get("startTimeUnixNano", 0))),
            str(trace.get("rootServiceName", "")),
            str(trace.get("rootTraceName", "")),
            f"{trace.get('durationMs', 0)} ms",
        ]
        for trace in body.get("traces") or ()
    ]
    return table(["trace", "start", "service", "name", "duration"], rows, right=["duration"]) if rows else "No traces."


def _numbers(body: Mapping[str, Any]) -> str:
    rows = []
    for series in body.get("series") or ():
        labels = " ".join(f"{one['key']}={next(iter(one.get('value', {}).values()), '')}" for one in series.get("labels") or ())
        values = [float(sample.get("value", 0)) for sample in series.get("samples") or ()]  # Tempo leaves zeros out
        if values:
            rows.append([labels, number(str(values[-1])), sparkline(values)])
    return table(["series", "last", "over time"], rows, right=["last"]) if rows else "No series."
