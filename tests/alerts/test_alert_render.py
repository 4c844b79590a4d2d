"""The committed files are what the code renders, and the command that renders them can be trusted."""

from __future__ import annotations

from pathlib import Path

import pytest

from otelkit_alerts.__main__ import ROOM, main
from otelkit_alerts.document import document
from otelkit_alerts.documents import with_region
from otelkit_alerts.links import Links
from otelkit_alerts.render import differences, generated, left_over, refreshed


def test_committed_rules_and_tests_are_fresh():
    """D6: after a change, run `python -m otelkit_alerts render` and read the difference."""
    assert differences(ROOM / "generated", generated(Links())) == []
    assert left_over(ROOM / "generated", generated(Links())) == []


def test_runbooks_and_readme_show_the_rules_as_they_are():
    assert differences(ROOM, refreshed(ROOM)) == []


def test_check_passes_on_the_committed_files(capsys: pytest.CaptureFixture[str]):
    assert main(["render", "--check"]) == 0
    assert capsys.readouterr().err == ""


def test_check_names_what_is_missing_stale_and_left_over_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    main(["render", "--out", str(tmp_path)])
    rules, demo = tmp_path / "prometheus/otelkit.rules.yaml", tmp_path / "prometheus/otelkit.demo.rules.yaml"
    rules.write_text(rules.read_text().replace("14.4", "14.5"))
    demo.unlink()
    old = tmp_path / "prometheus/otelkit.old.rules.yaml"
    old.write_text(document({}, about="Rules of last year."))
    capsys.readouterr()
    assert main(["render", "--out", str(tmp_path), "--check"]) == 1
    complaints = capsys.readouterr().err
    assert f"{rules} is stale. Run: python -m otelkit_alerts render" in complaints
    assert f"{demo} is missing." in complaints
    assert f"{old} is left over." in complaints
    assert len(complaints.splitlines()) == 3
    assert not demo.exists()


def test_render_restores_all_and_removes_what_nothing_renders_any_more(tmp_path: Path):
    old = tmp_path / "tests/old.test.yaml"
    old.parent.mkdir()
    old.write_text(document({}, about="Tests of last year."))
    mine = tmp_path / "prometheus/mine.rules.yaml"
    mine.parent.mkdir()
    mine.write_text("groups: []\n")
    assert main(["render", "--out", str(tmp_path)]) == 0
    assert not old.exists()
    assert mine.exists(), "What we did not write we do not remove."
    assert differences(tmp_path, generated(Links())) == []


def test_links_lead_where_the_options_say(tmp_path: Path):
    main(["render", "--out", str(tmp_path), "--grafana", "https://g.example.org/", "--runbooks", "https://w.example.org/books"])
    rules = (tmp_path / "prometheus/otelkit.rules.yaml").read_text()
    assert "https://g.example.org/d/otelkit-service-overview?var-environment=" in rules
    assert "https://w.example.org/books/django-traffic-gone.md" in rules
    assert "127.0.0.1" not in rules


def test_an_installed_package_asks_where_to_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr("otelkit_alerts.__main__.ROOM", tmp_path)
    with pytest.raises(SystemExit):
        main(["render"])
    assert "say where to write with --out DIR" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_an_alert_without_runbook_stops_the_rendering_and_names_the_file(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r"DjangoErrorBudgetBurn needs a runbook: write .*django-error-budget-burn.md"):
        refreshed(tmp_path)


def test_a_document_without_the_place_for_a_table_says_what_to_write():
    with pytest.raises(ValueError, match=r"README.md needs the lines <!-- generated: alerts -->"):
        with_region("# Alerts\n", "alerts", "| a |", "README.md")
    text = "before\n<!-- generated: alerts -->\nold\n<!-- end of alerts -->\nafter\n"
    assert with_region(text, "alerts", "new", "README.md") == "before\n<!-- generated: alerts -->\nnew\n<!-- end of alerts -->\nafter\n"


def test_long_expressions_are_blocks_and_equal_values_are_written_out():
    same = {"expr": "a\nand on (b) c"}
    text = document([same, same], about="Two.")
    assert text.count("expr: |-") == 2
    assert "&id" not in text
