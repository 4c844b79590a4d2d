"""Where panels stand: rows below one another, panels left to right, wrapping at the board's edge."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from otelkit_dashboards.model import Dashboard, Row
from otelkit_dashboards.panels import Panel
from otelkit_dashboards.style import size

BOARD_WIDTH = 24


@dataclass(frozen=True, slots=True)
class Place:
    """A rectangle in grid units; ``y`` grows downwards."""

    x: int
    y: int
    width: int
    height: int

    def overlaps(self, other: Place) -> bool:
        """Whether the two share any area."""
        return (
            self.x < other.x + other.width
            and other.x < self.x + self.width
            and self.y < other.y + other.height
            and other.y < self.y + self.height
        )


@dataclass(frozen=True, slots=True)
class PlacedRow:
    """A row's heading and its panels, each with its place."""

    row: Row
    heading: Place
    panels: tuple[tuple[Panel, Place], ...]


def place(dashboard: Dashboard) -> Iterator[PlacedRow]:
    """Rows and panels from top to bottom."""
    y = 0
    for row in dashboard.rows:
        heading = Place(0, y, BOARD_WIDTH, 1)
        panels = tuple(_flow(row.panels, y + 1))
        yield PlacedRow(row, heading, panels)
        bottom = max((spot.y + spot.height for _, spot in panels), default=y + 1)
        # A collapsed row takes one line; its panels keep their places below it for when it opens.
        y = y + 1 if row.collapsed else bottom


def _flow(panels: tuple[Panel, ...], top: int) -> Iterator[tuple[Panel, Place]]:
    x, y, tallest = 0, top, 0
    for panel in panels:
        width, height = size(panel)
        if x + width > BOARD_WIDTH:
            x, y, tallest = 0, y + tallest, 0
        yield panel, Place(x, y, width, height)
        x += width
        tallest = max(tallest, height)


def stable_id(uid: str, key: str) -> int:
    """A panel's id from the board's uid and the panel's key: 31 bits, never 0, the same wherever the panel moves."""
    digest = hashlib.sha256(f"{uid}/{key}".encode()).digest()
    return int.from_bytes(digest[:4], "big") % (2**31 - 1) + 1
