"""The shape of a rule and of what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from otelkit_dashboards.grafana.exports import Json, every_panel
from otelkit_dashboards.layout import stable_id
from otelkit_dashboards.model import Dashboard


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken rule: on which board, at which panel (``""`` for the board itself), and what is wrong."""

    board: str
    panel: str
    rule: str
    message: str

    def __str__(self) -> str:
        where = f"{self.board}/{self.panel}" if self.panel else self.board
        return f"{where}: {self.message} [{self.rule}]"


@dataclass(frozen=True, slots=True)
class Subject:
    """A board under inspection, in both forms."""

    board: Dashboard
    written: Json

    def written_panels(self) -> Iterator[tuple[str, Json]]:
        """Key and JSON of every panel, without the rows; the id stands in for the key of a panel that is not in the model."""
        keys = {stable_id(self.board.fact.uid, panel.key): panel.key for panel in self.board.panels}
        for panel in every_panel(self.written):
            if panel["type"] != "row":
                yield keys.get(panel["id"], str(panel["id"])), panel


Problem = tuple[str, str]
"""Key of the panel, or ``""`` for the board, and the message."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: a name for exemptions, what it asks for, and the check that finds where it is broken."""

    name: str
    help: str
    check: Callable[[Subject], Iterator[Problem]]
