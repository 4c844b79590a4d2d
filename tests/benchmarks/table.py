"""The table of a run, as Markdown: a row for each subject that was measured, below the section it belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tests.benchmarks import subjects as s
from tests.benchmarks.measuring import Cost
from tests.benchmarks.results import FLOOD, GOALS, GUNICORN, INGEST, PROCESS, Results, share
from tests.benchmarks.stack import NEWEST, RATE, RATES, SEARCH, WATERFALL, Stack
from tests.benchmarks.subjects import SECTIONS, Section, Subject

HEAD = ("", "k-instr", "added", "ratio", "exported", "ratio", "µs", "added", "ratio", "goal")
_LEFT = (0, len(HEAD) - 1)
"""Columns of words; the others are numbers."""


def table(results: Results) -> str:
    """The whole, padded so that it can be read as text."""
    rows = [[*HEAD], *_rows(results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    rule = ["-" * width if column in _LEFT else "-" * (width - 1) + ":" for column, width in enumerate(widths)]
    return "\n".join(_line(row, widths) for row in [rows[0], rule, *rows[1:]])


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (
        cell.ljust(width) if column in _LEFT else cell.rjust(width) for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return f"| {' | '.join(padded)} |"


def _rows(results: Results) -> Iterator[list[str]]:
    for section in SECTIONS:
        measured = [subject for subject in section.subjects if subject.key in results.instructions or subject.key in results.times]
        if measured:
            yield _words(f"**{section.title}**")
            yield from (_row(subject, section, results) for subject in measured)
    if results.services:
        yield _words("**gunicorn, one process with four threads, always busy**")
        yield from _services(results)
    if results.flood is not None:
        yield _words("**A flood of spans in one process**")
        found = results.flood
        text = f"{found.made:,} spans: {found.arrived:,} arrived, {found.dropped:,} counted as dropped, {found.busy:.0%} of a processor"
        yield _words(text, _goals(FLOOD, results))
    if results.stack is not None:
        yield _words("**The embedded stack, one process, asked over HTTP**")
        yield from _stack(results.stack, results)


def _row(subject: Subject, section: Section, results: Results) -> list[str]:
    cells = [subject.title, *_cells(subject, section, _steps(results.instructions))]
    cells += _cells(subject, section, _processes(results.instructions, section))[1:] if subject.sends else ["", ""]
    return [*cells, *_cells(subject, section, _steps(results.times)), _goals(subject.key, results)]


def _steps(costs: Mapping[str, Cost]) -> dict[str, float]:
    return {key: cost.step for key, cost in costs.items()}


def _processes(costs: Mapping[str, Cost], section: Section) -> dict[str, float]:
    """With what exporting costs, where something is exported."""
    sending = {subject.key for subject in section.measured() if subject.sends}
    return {key: cost.process if key in sending else cost.step for key, cost in costs.items()}


def _cells(subject: Subject, section: Section, costs: Mapping[str, float]) -> list[str]:
    """The cost, what it adds to the base, and its share of what the reference adds."""
    cost = costs.get(subject.key)
    if cost is None:
        return ["", "", ""]
    if subject is section.base:
        return [_number(cost), "", ""]
    base = costs.get(section.base.key) if section.base is not None else None
    added = f"{round(cost - base):+d}" if base is not None else ""
    ratio = share(costs, subject, section.base, section.reference)
    return [_number(cost), added, "" if ratio is None else f"{round(ratio, 2) + 0.0:.2f}"]  # + 0.0 makes a zero of a minus zero


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}"


def _services(results: Results) -> Iterator[list[str]]:
    bare = results.services[s.BARE.key]
    for subject in s.SERVED:
        service = results.services.get(subject.key)
        if service is None:
            continue
        text = f"{_served_as(subject)}: {service.requests_per_second:,.0f} requests/s, p99 {service.p99:.1f} ms"
        if subject is s.TRACED:
            yield _words(text, _goals(GUNICORN, results))
        elif subject is s.BARE:
            yield _words(text)
        else:
            yield _words(text, f"{service.kept(bare):.0%} of Django's requests/s; {service.slower(bare):.2f} times Django's p99")


def _served_as(subject: Subject) -> str:
    return "otelkit, without a line about the request" if subject is s.TRACED else subject.title


def _stack(stack: Stack, results: Results) -> Iterator[list[str]]:
    if stack.ingest is not None:
        taken = stack.ingest
        text = f"spans and samples for {taken.seconds:g} s: {taken.refused} requests put off, {taken.queries} questions answered meanwhile"
        yield _words(f"{text}, the slowest in {taken.slowest_query_ms:.0f} ms", _goals(INGEST, results))
    size = stack.size
    titles = {
        NEWEST: f"the newest fifty traces of {size.spans:,} spans",
        WATERFALL: "the page of one of them, found and drawn",
        RATE: f"the rate of {size.series[0]:,} counters by service, an hour at 15 s",
        RATES: f"the same of {size.series[1]:,} counters",
        SEARCH: f"the four of {size.lines:,} log lines that hold a text",
    }
    for question, title in titles.items():
        if question in stack.answers_ms:
            yield _words(f"{title}: {stack.answers_ms[question]:.1f} ms", _goals(f"stack: {question}", results))
    octets = ", ".join(f"{octets:.1f} bytes a {what}" for what, octets in stack.octets.items())
    yield _words(
        f"on disk: {octets}; started in {stack.start_s:.2f} s, at most {stack.peak_mib:.0f} MiB of memory", _goals(PROCESS, results)
    )


def _words(first: str, last: str = "") -> list[str]:
    return [first, *[""] * (len(HEAD) - 2), last]


def _goals(row: str, results: Results) -> str:
    said = [
        f"**missed:** {goal.said(results)}" if goal.is_met(results) is False else goal.said(results) for goal in GOALS if goal.row == row
    ]
    return "; ".join(text for text in said if text)
