"""A board: its variables, rows and annotations, in our own words: no Grafana here.

Everything is frozen, and a board that disagrees with the catalogue or with itself is an error when it is made.
"""

from __future__ import annotations

from dataclasses import dataclass

from otelkit.catalog.boards import BoardFact
from otelkit.catalog.labels import Label
from otelkit.catalog.metrics import Metric
from otelkit.catalog.promql import Expr, Matcher
from otelkit_dashboards.panels import Panel, Tone


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under one heading; a collapsed row asks nothing until it is opened. ``key`` is its identity, as a panel's is."""

    key: str
    title: str
    panels: tuple[Panel, ...]
    collapsed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A choice at the top of the board: the values that ``label`` has on the series of ``source``."""

    name: str
    title: str
    help: str
    label: Label
    source: Metric
    where: tuple[Matcher, ...] = ()
    multi: bool = False
    everything: str = ".+"
    """What "All" stands for, as a pattern, where several values may be chosen."""

    @property
    def chosen(self) -> Matcher:
        """The condition that a query sets to follow the choice: a pattern where several values may be chosen."""
        return Matcher(self.label, "=~" if self.multi else "=", f"${self.name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TextVariable:
    """A field at the top of the board that a reader or a link fills."""

    name: str
    title: str
    help: str


@dataclass(frozen=True, slots=True)
class Annotation:
    """Moments drawn over every graph: those at which the expression has samples. ``shown`` is how the switch starts."""

    title: str
    expr: Expr
    text: tuple[Label, ...]
    tone: Tone
    shown: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """One board. Raises ValueError where its variables are not those of the catalogue, or two panels share a key."""

    fact: BoardFact
    variables: tuple[Variable | TextVariable, ...]
    rows: tuple[Row, ...]
    annotations: tuple[Annotation, ...] = ()
    period: str = "1h"
    """Time range that the board opens with, back from now."""

    def __post_init__(self) -> None:
        names = tuple(variable.name for variable in self.variables)
        if names != self.fact.variables:
            raise ValueError(f'Board "{self.fact.uid}" has the variables {names}; the catalogue says {self.fact.variables}.')
        keys = [panel.key for panel in self.panels] + [row.key for row in self.rows]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise ValueError(f'Board "{self.fact.uid}" has more than one panel or row with the key {", ".join(twice)}.')

    @property
    def panels(self) -> tuple[Panel, ...]:
        """All panels, those in collapsed rows included."""
        return tuple(panel for row in self.rows for panel in row.panels)
