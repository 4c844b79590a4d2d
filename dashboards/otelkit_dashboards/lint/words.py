"""Rules about what a panel says: title, description, unit, and the sentence for no data."""

from __future__ import annotations

from collections.abc import Iterator

from otelkit.catalog import objectives
from otelkit.catalog.objectives import BURN_WINDOWS, OBJECTIVES
from otelkit_dashboards.lint.rule import Problem, Rule, Subject
from otelkit_dashboards.panels import BarGauge, Heatmap, Panel, Stat, Table, Thresholds, TimeSeries, Unit

_SHORTEST_ADVICE = 20


def _titles(subject: Subject) -> Iterator[Problem]:
    for panel in subject.board.panels:
        if not panel.title.strip():
            yield panel.key, "has no title"


def _descriptions(subject: Subject) -> Iterator[Problem]:
    for panel in subject.board.panels:
        if not _is_sentence(panel.help):
            yield panel.key, f'help must be a sentence that says what the panel shows; it is "{panel.help}"'
        if not _is_sentence(panel.act) or len(panel.act) < _SHORTEST_ADVICE:
            yield panel.key, f'act must be a sentence that says what to do when the panel looks wrong; it is "{panel.act}"'
    for key, written in subject.written_panels():
        if not written.get("description"):
            yield key, "Grafana gets no description"


def _units(subject: Subject) -> Iterator[Problem]:
    for panel in subject.board.panels:
        if isinstance(panel, (Stat, TimeSeries, Heatmap, BarGauge)) and panel.unit is None:
            yield panel.key, "shows numbers without a unit"


def _no_data(subject: Subject) -> Iterator[Problem]:
    for panel in subject.board.panels:
        if not _is_sentence(panel.missing):
            yield panel.key, f'missing must be a sentence that says why there may be nothing to see; it is "{panel.missing}"'


def _thresholds(subject: Subject) -> Iterator[Problem]:
    for panel in subject.board.panels:
        for thresholds, unit in _thresholds_of(panel):
            for bound in thresholds.bounds:
                if bound not in promised_numbers(unit):
                    yield panel.key, f"draws a threshold at {bound:g}, which is none of otelkit.catalog.objectives"


def promised_numbers(unit: Unit | None) -> frozenset[float]:
    """Every number in this unit that an alert may fire on: those in the objectives, and what burning the budget faster makes of them."""
    factors = {window.factor for window in BURN_WINDOWS}
    if unit is Unit.TIMES:
        return frozenset(factors)
    plain = {float(value) for name, value in vars(objectives).items() if name.isupper() and isinstance(value, (int, float))}
    budgets = {round(objective.budget * factor, 9) for objective in OBJECTIVES for factor in factors}
    return frozenset(plain | budgets | {objective.target for objective in OBJECTIVES})


def _thresholds_of(panel: Panel) -> Iterator[tuple[Thresholds, Unit | None]]:
    if panel.thresholds:
        yield panel.thresholds, panel.unit
    if isinstance(panel, Table):
        yield from ((column.thresholds, column.unit) for column in panel.columns if column.thresholds)


def _is_sentence(text: str) -> bool:
    return bool(text) and text[-1] == "." and text == text.strip()


RULES = (
    Rule("title", "Every panel has a title.", _titles),
    Rule("description", "Every panel says what it shows and what to do when it looks wrong.", _descriptions),
    Rule("unit", "Every number has a unit.", _units),
    Rule("no-value", "Every panel says why there may be nothing to see.", _no_data),
    Rule("threshold-is-objective", "A line on a board is the number that an alert fires on.", _thresholds),
)
