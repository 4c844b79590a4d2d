"""The README of the patterns: a screen for each, whose boards, rows, panels, alerts, metrics and settings are those that there are."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import otelkit.patterns
from otelkit.catalog.boards import ACCESS, API, EVENTS, RESILIENCE
from otelkit.catalog.metrics import METRICS
from otelkit_alerts.groups import alerts
from otelkit_dashboards.boards import BOARDS
from otelkit_dashboards.model import Dashboard

ROOM = Path(otelkit.patterns.__file__).parent
SECTIONS = {part.partition("\n")[0]: part for part in (ROOM / "README.md").read_text().split("\n## ")[1:]}
READMES = {path.parent.name: path.read_text() for path in sorted(ROOM.glob("*/README.md"))}
EVERY = {**SECTIONS, **{f"{name}/README.md": text for name, text in READMES.items()}}

LINES_OF_A_SCREEN = 50
SHARED = {"carrying", "ending", "gauges", "jitter", "leasing", "wording"}
"""What patterns share, and nobody outside calls."""
BY_SETTINGS = {"deploy", "ownership"}
"""Patterns without code: settings that other patterns of the kit read."""
_TITLES = {board.fact.title: board for board in BOARDS}
_PATTERN_BOARDS = {EVENTS.title, RESILIENCE.title, ACCESS.title, API.title}


def cells(section: str, *names: str) -> str:
    """What the table says about this."""
    return "\n".join(line for line in section.splitlines() if any(line.startswith(f"| {name} |") for name in names))


def boards_of(section: str) -> list[Dashboard]:
    """The boards that it names, of which each has to exist."""
    named = re.findall(r"\*((?:Django / |Telemetry health)[^*]*)\*", section)
    assert named == [name for name in named if name in _TITLES]
    return [_TITLES[name] for name in named]


def test_every_pattern_has_its_screen():
    modules = {path.stem for path in ROOM.iterdir() if path.is_dir() or path.suffix == ".py"} - {"__init__", "__pycache__", "README"}
    assert set(SECTIONS) == modules - SHARED | BY_SETTINGS


@pytest.mark.parametrize("name", SECTIONS)
def test_a_screen_has_the_shortest_use_what_is_recorded_where_and_what_rings(name: str):
    section = SECTIONS[name]
    assert len(section.splitlines()) <= LINES_OF_A_SCREEN
    assert "```python" in section
    for asked in ("records", "board", "alert"):
        assert cells(section, asked), f"{name} does not say: {asked}"


@pytest.mark.parametrize("name", EVERY)
def test_its_boards_rows_and_panels_are_those_that_there_are(name: str):
    section = EVERY[name]
    said = cells(section, "board")
    boards = boards_of(said)
    assert boards or "every board" in said
    rows = {row.title for board in boards for row in board.rows}
    panels = {panel.title for board in boards for row in board.rows for panel in row.panels}
    places = set(re.findall(r"\*([^*]+)\*", said)) - set(_TITLES)
    assert places - rows - panels <= {"Deploy"}, "and the mark on the boards"


@pytest.mark.parametrize("name", EVERY)
def test_its_alerts_are_those_that_there_are(name: str):
    known = {alert.name for alert in alerts()}
    said = cells(EVERY[name], "alert", "alerts")
    named = set(re.findall(r"`([A-Z]\w+)`", said))
    assert named <= known
    assert named or "none" in said or "every alert" in said


def test_every_alert_that_leads_to_a_patterns_board_is_named_in_a_screen():
    named = "\n".join(cells(section, "alert") for section in SECTIONS.values())
    missing = {alert.name for alert in alerts() if alert.board.title in _PATTERN_BOARDS and f"`{alert.name}`" not in named}
    assert missing == set()


@pytest.mark.parametrize("name", EVERY)
def test_its_metrics_are_those_that_there_are(name: str):
    known = {metric.name for metric in METRICS}
    said = cells(EVERY[name], "records").partition("; ")[0]
    names = re.findall(r"`(\.?[a-z_]+(?:\.[a-z_]+)*)`", said.partition(", the event")[0])
    last = ""
    for found in names:
        # `.rejected` stands behind its sister: `circuit_breaker.state`, `.transitions`.
        full = f"{last.rpartition('.')[0]}{found}" if found.startswith(".") else found
        if found.startswith(".") or "." in found:
            assert full in known or full.startswith(("service.", "api.version")), full
            last = full


@pytest.mark.parametrize("name", EVERY)
def test_its_python_can_be_read(name: str):
    """An ellipsis stands for the rest; what is shown is Python all the same."""
    for block in re.findall(r"```python\n(.*?)```", EVERY[name], re.DOTALL):
        ast.parse(block)


@pytest.mark.parametrize("name", EVERY)
def test_its_links_lead_somewhere(name: str):
    folder = (ROOM / name).parent if name.endswith("/README.md") else ROOM
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", EVERY[name]):
        assert target.startswith("http") or (folder / target).exists(), target
