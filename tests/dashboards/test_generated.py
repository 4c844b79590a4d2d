"""The committed files are what the code writes (D6)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from otelkit_dashboards.__main__ import main
from otelkit_dashboards.render import GENERATED, README, difference, differences, files, with_table, write


def test_the_committed_boards_are_fresh() -> None:
    """D6."""
    stale = "\n".join(differences(GENERATED))
    assert not stale, f"run `make generate`:\n{stale}"


def test_the_table_in_the_readme_is_fresh() -> None:
    readme = README.read_text(encoding="utf-8")
    stale = "\n".join(difference(README.name, readme, with_table(readme)))
    assert not stale, f"run `make generate`:\n{stale}"


def test_a_readme_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="must hold the lines <!-- boards -->"):
        with_table("# Boards\n")


def test_every_board_becomes_two_files_named_by_its_uid() -> None:
    for path, text in files().items():
        form, name = path.split("/")
        assert form in ("provisioning", "grafana-com")
        assert name == json.loads(text)["uid"] + ".json"


def test_keys_are_sorted_so_that_a_diff_shows_the_change_alone() -> None:
    for text in files().values():
        assert text == json.dumps(json.loads(text), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def test_rendering_to_a_folder_makes_it_fresh(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", "--out", str(tmp_path)]) == 0
    assert main(["render", "--out", str(tmp_path), "--check"]) == 0
    assert capsys.readouterr().out.endswith("boards are fresh.\n")


def test_checking_shows_the_difference_and_the_way_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path)
    changed = tmp_path / "provisioning" / "otelkit-endpoint.json"
    before = changed.read_text().replace('"refresh": "1m"', '"refresh": "5s"')
    changed.write_text(before)

    assert main(["render", "--out", str(tmp_path), "--check"]) == 1

    output = capsys.readouterr()
    assert '-  "refresh": "5s",' in output.out
    assert '+  "refresh": "1m",' in output.out
    assert "run `make generate`" in output.err
    assert changed.read_text() == before


def test_a_board_that_is_no_more_is_removed(tmp_path: Path) -> None:
    gone = tmp_path / "provisioning" / "otelkit-gone.json"
    gone.parent.mkdir()
    gone.write_text("{}\n")
    assert list(differences(tmp_path))

    write(tmp_path)

    assert not gone.exists()
    assert list(differences(tmp_path)) == []


def test_no_file_holds_a_machine_path_or_a_fixed_data_source() -> None:
    for path, text in files().items():
        assert "/home/" not in text, path
        assert '"uid": "prometheus"' not in text, path
