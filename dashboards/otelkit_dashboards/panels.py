"""Panels and what they ask, in our own words: no Grafana here.

Everything is frozen, and a panel that would point nowhere (an unknown board or variable) is an error when it is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import ClassVar

from otelkit.catalog.boards import BOARDS, BoardFact
from otelkit.catalog.labels import Label
from otelkit.catalog.logql import LogExpr
from otelkit.catalog.promql import Expr
from otelkit.catalog.traceql import TraceExpr


class Language(Enum):
    """Query languages, one per kind of data source."""

    PROMQL = "PromQL"
    LOGQL = "LogQL"
    TRACEQL = "TraceQL"


class Unit(Enum):
    """What a number counts."""

    COUNT = auto()
    SECONDS = auto()
    BYTES = auto()
    SHARE = auto()
    """From 0 to 1, shown as per cent."""
    REQUESTS_PER_SECOND = auto()
    OPERATIONS_PER_SECOND = auto()
    EVENTS_PER_SECOND = auto()
    CORES = auto()
    """Seconds of processor time a second."""
    TIMES = auto()
    """A factor."""


class Tone(Enum):
    """What a colour says; the house style picks the colour."""

    GOOD = auto()
    NEUTRAL = auto()
    WARNING = auto()
    BAD = auto()
    MUTED = auto()


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where a number turns from good to bad: a line in a graph, a colour elsewhere. The bounds are the objectives'."""

    warning: float | None = None
    critical: float | None = None
    bad_below: bool = False

    @property
    def bounds(self) -> tuple[float, ...]:
        return tuple(bound for bound in (self.warning, self.critical) if bound is not None)


@dataclass(frozen=True, slots=True)
class Exemption:
    """One lint rule that a panel may break, and why. Raises ValueError without a reason."""

    rule: str
    reason: str

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise ValueError(f'The exemption from "{self.rule}" needs a reason.')


@dataclass(frozen=True, slots=True)
class Query:
    """One question to a data source.

    ``legend`` names the series: a text, or the labels that tell its series apart. ``instant`` asks for one value at the
    end of the time range instead of a line through it. ``key`` is the query's identity within its panel.
    """

    expr: Expr | LogExpr | TraceExpr
    legend: str | tuple[Label, ...] = ""
    key: str = "A"
    tone: Tone | None = None
    dashed: bool = False
    instant: bool = False
    exemplars: bool = False
    may_be_empty: str = ""

    @property
    def language(self) -> Language:
        if isinstance(self.expr, Expr):
            return Language.PROMQL
        return Language.LOGQL if isinstance(self.expr, LogExpr) else Language.TRACEQL


@dataclass(frozen=True, slots=True)
class Link:
    """A way to another board, with variables set from the labels of what was clicked.

    The variables that both boards have and ``values`` does not name are carried over. Raises ValueError for a board that is
    not in the catalogue or a variable that it does not have.
    """

    title: str
    board: BoardFact
    values: tuple[tuple[str, Label], ...]

    def __post_init__(self) -> None:
        if self.board not in BOARDS:
            raise ValueError(f'No board has the uid "{self.board.uid}"; there are {", ".join(board.uid for board in BOARDS)}.')
        for variable, _ in self.values:
            if variable not in self.board.variables:
                has = ", ".join(self.board.variables)
                raise ValueError(f'Board "{self.board.uid}" has no variable "{variable}"; it has {has}.')


def to(board: BoardFact, title: str, /, **values: Label) -> Link:
    """A link to the board; each keyword names one of its variables and the label that fills it."""
    return Link(title, board, tuple(sorted(values.items())))


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """What every panel has.

    ``key`` is the panel's identity: the title may change and the panel may move, its id and the links to it stay.
    ``help`` says what the panel shows, ``act`` what to do when it looks wrong, ``missing`` why there may be nothing to see.
    ``may_be_empty`` is the reason why even a healthy, busy service may show nothing.
    """

    kind: ClassVar[str]

    key: str
    title: str
    help: str = ""
    act: str = ""
    missing: str = ""
    unit: Unit | None = None
    queries: tuple[Query, ...] = ()
    width: int = 0
    height: int = 0
    thresholds: Thresholds | None = None
    links: tuple[Link, ...] = ()
    may_be_empty: str = ""
    exemptions: tuple[Exemption, ...] = ()

    def __post_init__(self) -> None:
        keys = [query.key for query in self.queries]
        if len(set(keys)) != len(keys):
            raise ValueError(f'Panel "{self.key}" has two queries of one key: {", ".join(keys)}.')

    @property
    def language(self) -> Language | None:
        """The one language of the panel's queries. Raises ValueError where they mix."""
        languages = {query.language for query in self.queries}
        if len(languages) > 1:
            raise ValueError(f'Panel "{self.key}" mixes query languages; a panel reads one data source.')
        return next(iter(languages), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stat(Panel):
    """One number, with its recent course behind it where its query is not instant."""

    kind: ClassVar[str] = "stat"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSeries(Panel):
    """Lines over time; ``stacked`` where the series are parts of a whole, ``bars`` where they count."""

    kind: ClassVar[str] = "timeseries"
    stacked: bool = False
    bars: bool = False
    signed: bool = False
    """Whether values below 0 mean something; otherwise the axis starts at 0."""
    tones: tuple[tuple[str, Tone], ...] = ()
    """Tones of series that one query returns together, by their name in the legend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heatmap(Panel):
    """The spread of a histogram over time; its query is ``buckets(...)``."""

    kind: ClassVar[str] = "heatmap"


@dataclass(frozen=True, slots=True, kw_only=True)
class BarGauge(Panel):
    """One bar per series, for shares of a whole."""

    kind: ClassVar[str] = "bargauge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Logs(Panel):
    """Log lines, newest first."""

    kind: ClassVar[str] = "logs"


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceList(Panel):
    """Traces that match, slowest first."""

    kind: ClassVar[str] = "trace list"
    opens: tuple[str, str] | None = None
    """Title of the link on a trace's id, and the variable of the same board that it fills."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceView(Panel):
    """The spans of one trace as a tree."""

    kind: ClassVar[str] = "traces"


@dataclass(frozen=True, slots=True)
class Column:
    """One number of a table's rows. Its expression is aggregated by the labels that the table's rows stand for."""

    key: str
    title: str
    expr: Expr
    unit: Unit
    thresholds: Thresholds | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table(Panel):
    """One row per label set, one instant query per column; sorted by the first column, largest first."""

    kind: ClassVar[str] = "table"
    by: tuple[tuple[Label, str], ...]
    """The labels that a row stands for, with the heading of each."""
    columns: tuple[Column, ...]

    def __post_init__(self) -> None:
        # Written out: zero-argument super() does not survive slots=True on Python 3.11.
        object.__setattr__(self, "queries", tuple(Query(column.expr, key=column.key, instant=True) for column in self.columns))
        Panel.__post_init__(self)
