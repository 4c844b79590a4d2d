"""Runbooks: one for each alert, with the parts that are needed at three in the morning, and queries that still work."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from otelkit.catalog import labels
from otelkit.catalog.boards import BOARDS
from otelkit.catalog.labels import Label
from otelkit.catalog.logql import INDEX_LABELS, LOG_LABELS
from otelkit.catalog.naming import label_name
from otelkit_alerts.__main__ import ROOM
from otelkit_alerts.groups import alerts
from tests.alerts.promql_reading import strangers

RUNBOOKS = sorted((ROOM / "runbooks").glob("*.md"))
NAMES = dict.fromkeys(alert.name for alert in alerts())
SECTIONS = ["Meaning", "Impact", "First look", "Likely causes", "Remedies", "Tuning", "When it is a false positive"]

_ACCESS_LINE_KEYS = {"duration_ms"}
"""Keys of the access line that are no labels (the log line of telemetry.md)."""
_LOG_KEYS = {
    label_name(label) for label in (*LOG_LABELS, *(value for value in vars(labels).values() if isinstance(value, Label)))
} | _ACCESS_LINE_KEYS


def _blocks(path: Path, language: str) -> list[str]:
    found = re.findall(rf"^ *```{language}\n(.*?)^ *```", path.read_text(), re.DOTALL | re.MULTILINE)
    return [expression.strip() for block in found for expression in block.split("\n\n")]


EVERY_PROMQL = [
    pytest.param(query, id=f"{path.stem}-{number}") for path in RUNBOOKS for number, query in enumerate(_blocks(path, "promql"))
]
EVERY_LOGQL = [pytest.param(query, id=f"{path.stem}-{number}") for path in RUNBOOKS for number, query in enumerate(_blocks(path, "logql"))]


def test_every_alert_has_a_runbook_and_every_runbook_an_alert():
    """D3."""
    assert {path.name for path in RUNBOOKS} == {alert.runbook for alert in alerts()}


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda path: path.stem)
def test_a_runbook_has_all_parts_in_the_same_order(path: Path):
    text = path.read_text()
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    assert text.count("\n# ") == 1
    for section in SECTIONS:
        body = text.split(f"## {section}\n")[1].split("\n## ")[0]
        assert len(body.strip()) > 40, f"{path.name}: {section} says next to nothing."


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda path: path.stem)
def test_the_title_is_the_alert_and_the_first_look_has_a_query(path: Path):
    (title,) = re.findall(r"^# (.+)$", path.read_text(), re.MULTILINE)
    assert title in NAMES
    assert "```promql" in path.read_text().split("## First look")[1].split("## Likely causes")[0]


@pytest.mark.parametrize("query", EVERY_PROMQL)
def test_promql_of_runbooks_reads_only_what_the_catalogue_knows(query: str):
    """D1."""
    assert strangers(query) == []


@pytest.mark.parametrize("query", EVERY_LOGQL)
def test_logql_of_runbooks_filters_by_keys_that_lines_have(query: str):
    """D1."""
    stream, _, filters = query.partition("}")
    streams = re.findall(r'(\w+)(?:=~|!=|!~|=)"', stream)
    assert streams
    assert set(streams) <= {label_name(label) for label in INDEX_LABELS}
    keys = re.findall(r"\| (\w+) ?(?:=~|!=|!~|=|>|<)", filters)
    assert keys or "|=" in filters
    assert set(keys) <= _LOG_KEYS


def test_boards_that_runbooks_name_exist():
    """D5: "the board X" is one of the titles in the catalogue."""
    for path in RUNBOOKS:
        for named in re.findall(r"[Tt]he board ([A-Z][A-Za-z]*(?: [a-z]+)*?)(?: shows|;|\.|,|:)", path.read_text()) + re.findall(
            r"to the board ([A-Z][a-z]+ [a-z]+)", path.read_text()
        ):
            assert any(board.title.endswith(named) for board in BOARDS), f"{path.name} sends the reader to the board {named!r}."


def test_reasons_of_dropped_telemetry_are_all_explained():
    text = (ROOM / "runbooks/telemetry-export-failing.md").read_text()
    assert [reason for reason in labels.REASON.values if f"`{reason}`" not in text] == []
