"""``otelkit query``: one question in PromQL, LogQL or TraceQL, answered in the terminal."""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from otelkit_stack.commands.asking import CommandError, add_url, ask
from otelkit_stack.commands.languages import LANGUAGES, language_of
from otelkit_stack.commands.lengths import length_s
from otelkit_stack.commands.tables import clock, number, printable, sparkline, table
from otelkit_stack.commands.traces import traces_answer

_POINTS = 40
"""Of a sparkline."""
_API = {"promql": "/api/v1", "logql": "/loki/api/v1"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the answer; the exit code is 0, or 1 where there is none."""
    parser = argparse.ArgumentParser(prog="otelkit query", description="Ask a stack in PromQL, LogQL or TraceQL.")
    parser.add_argument("query", help="such as 'sum by (service_name) (rate(http_server_request_duration_seconds_count[1m]))'")
    parser.add_argument("--lang", choices=LANGUAGES, help="the query's language, where it is not recognised")
    parser.add_argument("--since", type=length_s, default="1h", metavar="TIME", help="how far back to look (%(default)s)")
    parser.add_argument("--limit", type=int, default=50, metavar="N", help="most lines or traces (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print the server's answer as it is")
    add_url(parser)
    options = parser.parse_args(arguments)
    try:
        print(_answer(options))
    except CommandError as error:
        print(f"otelkit query: {error}", file=sys.stderr)
        return 1
    return 0


def _answer(options: argparse.Namespace) -> str:
    language = options.lang or language_of(options.query)
    if language == "traceql":
        return traces_answer(options.url, options.query, since_s=options.since, limit=options.limit, as_json=options.json)
    if language == "logql" and options.query.lstrip().startswith("{"):
        return _lines(options)
    return _numbers(options, language)


def _numbers(options: argparse.Namespace, language: str) -> str:
    end = time.time()
    body = ask(options.url, f"{_API[language]}/query", {"query": options.query, "time": f"{end:.3f}"})
    if options.json:
        return json.dumps(body, indent=2)
    data = body["data"]
    if data["resultType"] in ("scalar", "string"):
        return str(data["result"][1])
    if data["resultType"] == "matrix":
        return _samples(data["result"])
    curves = _curves(options, language, end)
    names = sorted({name for series in data["result"] for name in series["metric"]})
    rows = [
        [*(series["metric"].get(name, "") for name in names), number(series["value"][1]), curves.get(_key(series["metric"]), "")]
        for series in data["result"]
    ]
    if not rows:
        return "No series."
    notes = [f"({note})" for note in (*body.get("warnings", ()), *body.get("infos", ()))]
    return "\n".join([table([*names, "value", f"last {_spoken(options.since)}"], rows, right=["value"]), *map(printable, notes)])


def _curves(options: argparse.Namespace, language: str, end: float) -> dict[str, str]:
    """A sparkline for each series, over the time asked for."""
    step = max(1, math.ceil(options.since / _POINTS))
    asked = {"query": options.query, "start": f"{end - options.since:.3f}", "end": f"{end:.3f}", "step": step}
    found = ask(options.url, f"{_API[language]}/query_range", asked)["data"]["result"]
    curves = {}
    for series in found:
        places = {round((at - (end - options.since)) / step): float(value) for at, value in series["values"]}
        curves[_key(series["metric"])] = sparkline([places.get(at, math.nan) for at in range(_POINTS + 1)])
    return curves


def _samples(series: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        [clock(int(at * 1e9)), number(value), " ".join(f"{name}={text}" for name, text in sorted(one["metric"].items()))]
        for one in series
        for at, value in one["values"]
    ]
    return table(["time", "value", "series"], rows, right=["value"]) if rows else "No samples."


def _lines(options: argparse.Namespace) -> str:
    end_ns = time.time_ns()
    asked = {"query": options.query, "start": end_ns - int(options.since * 1e9), "end": end_ns, "limit": options.limit}
    body = ask(options.url, "/loki/api/v1/query_range", asked)
    if options.json:
        return json.dumps(body, indent=2)
    return "\n".join(line for _, line in sorted(lines_of(body["data"]["result"]))) or f"No lines in the last {_spoken(options.since)}."


def lines_of(streams: Sequence[Mapping[str, Any]]) -> list[tuple[int, str]]:
    """Time and text of each line, as a terminal shows it: when, who, how bad, what."""
    found = []
    for stream in streams:
        labels = stream["stream"]
        who, level = labels.get("service_name", "-"), labels.get("detected_level", labels.get("level", ""))
        for time_ns, text, *_ in stream["values"]:
            found.append((int(time_ns), f"{clock(int(time_ns))}  {printable(who)}  {printable(level):<5}  {printable(text)}"))
    return found


def _key(metric: Mapping[str, str]) -> str:
    return json.dumps(dict(metric), sort_keys=True)


def _spoken(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size:g}{unit}"
    return f"{seconds:g}s"


if __name__ == "__main__":
    sys.exit(main())
