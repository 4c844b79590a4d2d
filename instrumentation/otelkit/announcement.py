"""The start, told once: what is on, what is off and why. For a person several lines, in colours where rich is there; else one event."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from otelkit.logs.formatter import Presentation, printable
from otelkit.logs.line import PRESENTATION as PRESENTATION
from otelkit.notes import Note, as_note


@dataclass(frozen=True, slots=True)
class Row:
    """One thing. Word and subject are empty where the row before has the same."""

    word: str
    subject: str
    said: str

    def __str__(self) -> str:
        return f"{self.word:<4} {self.subject:<20} {self.said}"


def rows_of(notes: Iterable[str]) -> list[Row]:
    """What the notes say in their order, those of one subject together."""
    told = [as_note(note) for note in notes]
    subjects = dict.fromkeys(note.subject for note in told)
    return [row for subject in subjects for row in _rows([note for note in told if note.subject == subject])]


def _rows(notes: list[Note]) -> Iterator[Row]:
    """Of one subject."""
    before: Note | None = None
    for note in notes:
        word = "" if before is not None and before.is_on is note.is_on else "on" if note.is_on else "off"
        yield Row(word, "" if before is not None else printable(note.subject), printable(note.said))
        before = note


@dataclass(frozen=True, slots=True)
class Announcement(Presentation):
    """Who is observed, and below it what is on and off."""

    title: str
    notes: tuple[str, ...]

    def text(self, *, colour: bool) -> str:
        """Title and rows."""
        rows = rows_of(self.notes)
        if colour:
            try:
                return _rich(self.title, rows)
            except ImportError:  # the extra `demo` brings it
                pass
        return "\n".join([printable(self.title), *(f"  {row}" for row in rows)])


def _rich(title: str, rows: list[Row]) -> str:
    from rich.console import Console
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for row in rows:
        table.add_row(Text(row.word, "green" if row.word == "on" else "yellow"), Text(row.subject, "bold"), Text(row.said))
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=shutil.get_terminal_size().columns, highlight=False)
    console.print(Panel(table, title=Text(printable(title)), title_align="left", border_style="dim"))
    return written.getvalue().rstrip("\n")
