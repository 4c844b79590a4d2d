"""The notation of Prometheus' test files for a series: ``metric{label="value"} 1+2x5 _ stale``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from otelkit_stack.promql.labels import Labels
from otelkit_stack.promql.selector_grammar import read_selector
from otelkit_stack.promql.storage import STALE
from otelkit_stack.promql.token_stream import TokenStream

_QUOTED = r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|`[^`]*`'
_LINE = re.compile(
    rf"(?P<metric>[a-zA-Z_:][a-zA-Z0-9_:]*)?\s*(?P<labels>\{{(?!\{{)(?:[^\"'`}}]|{_QUOTED})*\}})?\s*(?P<values>.*)", re.DOTALL
)
_NUMBER = r"[+-]?(?:(?i:inf|nan)|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
_ITEM = re.compile(rf"(?P<first>{_NUMBER})(?P<step>[+-]{_NUMBER})?(?:x(?P<times>[0-9]+))?")
_HISTOGRAM = re.compile(r"\{\{")


@dataclass(frozen=True, slots=True)
class SeriesLine:
    """A series, and its values at successive steps; None for a step without one."""

    labels: Labels
    values: tuple[float | None, ...]
    is_native: bool
    """Whether it holds native histograms, which are not read."""


def read_series(line: str) -> SeriesLine:
    """Raises ValueError for what is no series."""
    match = _LINE.fullmatch(line.strip())
    if match is None or not (match["metric"] or match["labels"]):
        raise ValueError(f"{line!r} is no series")
    labels = _labels(match["metric"] or "", match["labels"] or "")
    if _HISTOGRAM.search(match["values"]):
        return SeriesLine(labels, (), is_native=True)
    values: list[float | None] = []
    for item in match["values"].split():
        values.extend(_expanded(item))
    return SeriesLine(labels, tuple(values), is_native=False)


def _labels(metric: str, braces: str) -> Labels:
    stream = TokenStream(braces or "{}")
    pairs = {matcher.name: matcher.value for matcher in read_selector(stream, None).matchers}
    return Labels.of(pairs | ({"__name__": metric} if metric else {}))


def _expanded(item: str) -> list[float | None]:
    if item == "stale":
        return [STALE]
    if item.startswith("_"):
        return [None] * int(item[2:] or 1)
    match = _ITEM.fullmatch(item)
    if match is None:
        raise ValueError(f"{item!r} is no value of a series")
    value, step = float(match["first"]), float(match["step"] or 0)
    if match["times"] is None:
        return [value]
    values: list[float | None] = []
    for _ in range(int(match["times"]) + 1):
        values.append(value)
        value += step
    return values
