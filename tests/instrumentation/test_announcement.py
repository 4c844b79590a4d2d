"""The start is told once: to a person in rows, to a machine in one line."""

from __future__ import annotations

import json
import logging
import sys

import pytest
from django.conf import settings

from otelkit import notes, startup
from otelkit.announcement import Announcement, rows_of
from otelkit.logs.formatter import JSONFormatter, TextFormatter
from otelkit.status import status
from otelkit.testing import capture

SETTINGS = {"service": {"name": "orders"}, "libraries": {"disabled": ["requests"]}, "traces": {"exporters": []}}


@pytest.fixture
def record(caplog: pytest.LogCaptureFixture) -> logging.LogRecord:
    """The record of a start."""
    caplog.set_level(logging.INFO)
    with capture(SETTINGS):
        pass
    (found,) = [record for record in caplog.records if getattr(record, "event.name", "") == "otelkit.started"]
    return found


def test_a_machine_gets_one_line_with_every_note(record: logging.LogRecord):
    line = JSONFormatter().format(record)
    assert "\n" not in line
    told = json.loads(line)
    assert told["message"].startswith("otelkit 0.1.0 observes orders (production): traces to nowhere, metrics to otlp")
    assert "traces: setting traces.exporters" in told["notes"]
    assert "requests: setting libraries.disabled" in told["notes"]
    assert "otelkit_presentation" not in line


def test_a_person_gets_rows_that_say_on_off_and_why(record: logging.LogRecord):
    title, *rows = TextFormatter().format(record).splitlines()
    assert title == "otelkit 0.1.0 observes orders (production)"
    assert "  off  traces               setting traces.exporters" in rows
    assert "  on   metrics              to http://127.0.0.1:4318/v1/metrics" in rows
    assert "                            OpenTelemetry instruments come from otelkit's meter provider" in rows
    assert "  on   httpx                calls traced and measured" in rows
    assert "  off  requests             setting libraries.disabled" in rows


def test_on_a_terminal_it_is_drawn_by_rich(record: logging.LogRecord):
    pytest.importorskip("rich", reason="rich is not installed: pip install 'otelkit[demo]'")
    text = TextFormatter(colour=True).format(record)
    assert "otelkit 0.1.0 observes orders (production)" in text
    assert "\x1b[" in text
    assert "╭" in text


def test_without_rich_a_terminal_gets_the_rows(record: logging.LogRecord, monkeypatch: pytest.MonkeyPatch):
    for name in [name for name in sys.modules if name == "rich" or name.startswith("rich.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "rich", None)
    assert TextFormatter(colour=True).format(record) == TextFormatter().format(record)


@pytest.mark.parametrize("colour", [True, False])
def test_a_name_cannot_rewrite_the_terminal(colour: bool):
    """C3."""
    hostile = "shop\x1b[2J\n{forged}\u2028[bold]"
    said = Announcement(hostile, (f"{hostile}: {hostile}",)).text(colour=colour)
    assert "\x1b[2J" not in said
    assert "\u2028" not in said
    assert not [line for line in said.splitlines() if line.startswith("{forged}")]
    assert "[bold]" in said


def test_somebody_elses_record_is_a_line_like_all_others():
    """Only what the kit itself made is shown over several lines."""
    record = logging.makeLogRecord({"msg": "paid", "levelname": "INFO", "otelkit_presentation": "one\ntwo"})
    assert len(TextFormatter().format(record).splitlines()) == 1


def test_a_password_in_an_address_is_not_shown():
    with capture({"export": {"endpoint": "http://user:s3cr3t@collector:4318"}}) as telemetry:
        shown = [str(row) for row in rows_of(telemetry.runtime.notes)]
    assert [row for row in shown if "REDACTED@collector:4318/v1/traces" in row]
    assert "s3cr3t" not in str(shown)


def test_a_note_that_is_plain_text_says_what_is_on():
    (row,) = list(rows_of(["structlog: events go on"]))
    assert (row.word, row.said) == ("on", "events go on")
    assert notes.off("a: b") == "a: b"


def test_status_shows_the_same_rows(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(settings, "OTELKIT", SETTINGS, raising=False)
    shown = str(status()).splitlines()
    assert "  off  requests             setting libraries.disabled" in shown
    assert startup.current() is None
