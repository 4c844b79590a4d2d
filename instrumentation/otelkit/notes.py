"""Sentences about what was set up, each with the word that a reader looks for first: on or off."""

from __future__ import annotations


class Note(str):
    """``requests: not installed``: a subject, a colon, and what is to be said of it."""

    __slots__ = ("is_on",)
    is_on: bool

    @property
    def subject(self) -> str:
        """What stands before the colon."""
        return self.partition(": ")[0]

    @property
    def said(self) -> str:
        """What stands behind it."""
        return self.partition(": ")[2]


def on(text: str) -> Note:
    """Something that is set up."""
    return _note(text, is_on=True)


def off(text: str) -> Note:
    """Something that is not, and why."""
    return _note(text, is_on=False)


def as_note(text: str) -> Note:
    """The text itself where it is a note; else it says what was set up."""
    return text if isinstance(text, Note) else on(text)


def _note(text: str, *, is_on: bool) -> Note:
    note = Note(text)
    note.is_on = is_on
    return note
