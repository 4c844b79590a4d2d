"""Which libraries are followed: each that is installed, unless the settings say otherwise."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import ExitStack
from functools import partial

from otelkit.config import Libraries
from otelkit.importing import when_imported
from otelkit.libraries.base import Library, Recording
from otelkit.notes import Note, off, on

logger = logging.getLogger("otelkit.libraries")

failures: dict[str, str] = {}
"""Libraries that could not be followed in this process, and why."""


def follow_libraries(libraries: Iterable[Library], recording: Recording, settings: Libraries, undo: ExitStack) -> list[Note]:
    """Follows each from the moment it is imported, and leaves the undoing with ``undo``; gives back what to tell about it."""
    notes, absent = [], []
    for library in libraries:
        if library.name in settings.disabled:
            notes.append(off(f"{library.name}: setting libraries.disabled"))
        elif library.is_installed():
            undo.callback(library.uninstrument)
            undo.callback(failures.pop, library.name, None)
            undo.callback(when_imported(library.fact.module, partial(_instrument, library, recording)))
            notes.append(on(f"{library.name}: {library.fact.follows}"))
        elif library.name in settings.required:
            logger.error('"%s" is in libraries.required, but it is not installed: pip install %s', library.name, library.fact.package)
            notes.append(off(f"{library.name}: required, but not installed; pip install {library.fact.package}"))
        else:
            absent.append(library.name)
    if absent:
        notes.append(off(f"libraries: not installed, nothing to follow: {', '.join(absent)}"))
    return notes


def _instrument(library: Library, recording: Recording) -> None:
    try:
        library.instrument(recording)
    except Exception as error:
        failures[library.name] = f"{type(error).__qualname__}: {error}"
        logger.exception("otelkit cannot follow %s in this version; it works as without otelkit.", library.name)
        library.uninstrument()  # what was replaced before it failed
