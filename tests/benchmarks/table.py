"""The table of a run, as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.benchmarks.measuring import Cost
from tests.benchmarks.subjects import BARE, UPSTREAM, Subject

Costs = Mapping[str, Cost]
"""By the subject's key."""


def table(subjects: Sequence[Subject], measurements: Mapping[str, Costs]) -> str:
    """One row per subject; four columns per measurement, by its unit: ``{"k-instr": ..., "µs": ...}``."""
    head = ["per request"]
    for unit in measurements:
        head += [unit, "added", "of upstream's", "added with export", "of upstream's"]
    rows = [[subject.title, *(cell for costs in measurements.values() for cell in _cells(subject, costs))] for subject in subjects]
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    lines = [head, ["-" * width if column == 0 else "-" * (width - 1) + ":" for column, width in enumerate(widths)], *rows]
    return "\n".join(_line(line, widths) for line in lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        cell.ljust(width) if column == 0 else cell.rjust(width) for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return f"| {' | '.join(padded)} |"


def _cells(subject: Subject, costs: Costs) -> list[str]:
    cost = costs[subject.key]
    if subject is BARE:
        return [f"{cost.request:.0f}", "", "", "", ""]
    added, upstreams = cost.above(costs[BARE.key]), costs[UPSTREAM.key].above(costs[BARE.key])
    return [
        f"{cost.request:.0f}",
        _signed(added.request),
        _ratio(added.request, upstreams.request),
        _signed(added.process),
        _ratio(added.process, upstreams.process),
    ]


def _signed(added: float) -> str:
    return f"{round(added):+d}"


def _ratio(added: float, upstreams: float) -> str:
    # Adding 0.0 makes a zero of the minus zero that rounding leaves.
    return f"{round(added / upstreams, 2) + 0.0:.2f}" if upstreams > 0 else "-"
