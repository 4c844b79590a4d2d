"""Every question that the boards ask, with Grafana's variables filled in: what a test evaluates, or a person pastes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from otelkit_dashboards.boards import BOARDS
from otelkit_dashboards.model import Dashboard, TextVariable, Variable
from otelkit_dashboards.panels import Language
from otelkit_dashboards.variables import WINDOWS, fill


@dataclass(frozen=True, slots=True)
class PanelQuery:
    """One query of one panel. ``may_be_empty`` is the reason why no answer is no fault, or ``""`` where it is one."""

    board: str
    panel: str
    query: str
    language: Language
    expression: str
    instant: bool
    may_be_empty: str


def every_query(variables: Mapping[str, str]) -> Iterator[PanelQuery]:
    """Every query of every board, board by board.

    ``variables`` maps names without the dollar sign to values, such as ``{"service": "orders", "route": "/orders/{pk}"}``; it
    may also set Grafana's windows (``__rate_interval``). A multi-select variable that it leaves out is "All". Values that stand
    in a pattern are patterns. Raises ValueError for a name that no board has, and for a choice that has no "All" and no value.
    """
    known = {variable.name for board in BOARDS for variable in board.variables} | set(WINDOWS)
    unknown = sorted(set(variables) - known)
    if unknown:
        raise ValueError(f"No board has the variable {', '.join(unknown)}; there are {', '.join(sorted(known))}.")
    for board in BOARDS:
        values = {**WINDOWS, **_everything(board), **variables}
        for panel in board.panels:
            for query in panel.queries:
                reason = query.may_be_empty or panel.may_be_empty
                expression = fill(query.expr.text, values)
                yield PanelQuery(board.fact.uid, panel.key, query.key, query.language, expression, query.instant, reason)


def _everything(board: Dashboard) -> dict[str, str]:
    """What a reader who chose nothing sees."""
    chosen = {variable.name: variable.everything for variable in board.variables if isinstance(variable, Variable) and variable.multi}
    return chosen | {variable.name: "" for variable in board.variables if isinstance(variable, TextVariable)}
