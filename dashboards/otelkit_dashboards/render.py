"""The files that the boards become: two of JSON for each, and the table of boards in the README."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from otelkit_dashboards.boards import BOARDS
from otelkit_dashboards.grafana import for_grafana_com, for_provisioning
from otelkit_dashboards.grafana.exports import Json
from otelkit_dashboards.model import Dashboard

GENERATED: Final = Path(__file__).resolve().parent.parent / "generated"
README: Final = Path(__file__).resolve().parent.parent / "README.md"

_TABLE: Final = re.compile(r"(<!-- boards -->\n).*?(<!-- /boards -->)", re.DOTALL)


def files() -> Mapping[str, str]:
    """Path below the output folder, and content, of every generated file."""
    written: dict[str, str] = {}
    for board in BOARDS:
        written[f"provisioning/{board.fact.uid}.json"] = _text(for_provisioning(board))
        written[f"grafana-com/{board.fact.uid}.json"] = _text(for_grafana_com(board))
    return written


def with_table(readme: str) -> str:
    """The README with its table of boards renewed. Raises ValueError where the marks that enclose the table are gone."""
    if not _TABLE.search(readme):
        raise ValueError("dashboards/README.md must hold the lines <!-- boards --> and <!-- /boards -->, for the table between them.")
    return _TABLE.sub(lambda found: found[1] + "\n".join(_table()) + "\n" + found[2], readme)


def write(folder: Path) -> None:
    """Writes every file below the folder and removes boards that are no more."""
    expected = files()
    for path in _present(folder) - set(expected):
        (folder / path).unlink()
    for path, content in expected.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")


def differences(folder: Path) -> Iterator[str]:
    """Lines of a unified diff from the files below the folder to what they should be; none where they are fresh."""
    expected = files()
    for path in sorted(_present(folder) | set(expected)):
        target = folder / path
        yield from difference(target.name, target.read_text(encoding="utf-8") if target.exists() else "", expected.get(path, ""))


def difference(name: str, old: str, new: str) -> Iterator[str]:
    """Lines of a unified diff between two texts."""
    yield from difflib.unified_diff(old.splitlines(), new.splitlines(), f"{name} (on disk)", f"{name} (rendered)", lineterm="")


def _present(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*.json")}


def _text(written: Json) -> str:
    return json.dumps(written, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _table() -> Iterator[str]:
    yield "| board | for | choices | panels | file |"
    yield "|---|---|---|---|---|"
    for board in BOARDS:
        yield _row(board)


def _row(board: Dashboard) -> str:
    choices = ", ".join(variable.title.lower() for variable in board.variables)
    file = f"provisioning/{board.fact.uid}.json"
    return f"| {board.fact.title} | {board.fact.help} | {choices} | {len(board.panels)} | [`{file}`](generated/{file}) |"
