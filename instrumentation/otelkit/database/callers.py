"""Which line of the project ran a query: the innermost frame outside of Django, this kit, drivers and installed packages.

Where an installed package is all there is above Django (a project that is itself installed, or a serializer of a framework), its line
is given. Walking some fifteen frames costs a fraction of the span that the line is put on, and only slow and repeated queries pay it.
"""

from __future__ import annotations

import sys
import sysconfig
from asyncio import Task
from functools import lru_cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final, NamedTuple

import django

import otelkit

_DJANGO = f"{Path(django.__file__).resolve().parent}/"
_KIT = f"{Path(otelkit.__file__).resolve().parent}/"
_PATTERNS = f"{_KIT}patterns/"
_BOUNDARY = f"{_KIT}middleware.py"
"""Above our middleware stands the server, which ran no query."""
_STANDARD_LIBRARY = tuple({f"{sysconfig.get_path(name)}/" for name in ("stdlib", "platstdlib")})
_INSTALLED = ("/site-packages/", "/dist-packages/")
_MACHINERY = ("django/", "otelkit/", "opentelemetry/", "asgiref/", "psycopg", "MySQLdb/", "oracledb/", "gevent/", "gunicorn/", "uvicorn/")
"""Installed packages that stand between a project and its database, or between a server and a project."""


# Whose a file is. Plain numbers in a plain dictionary: every frame of every repeated query asks, and an Enum costs three times as much.
_IS_MACHINERY: Final = 0
_IS_BOUNDARY: Final = 1
_IS_PACKAGE: Final = 2
_IS_PROJECT: Final = 3
_owners: dict[str, int] = {}
_MOST_FILES = 8192
"""Files remembered: code that is made at run time has a new file name each time."""


class CodeLine(NamedTuple):
    """A line of source. The path begins at the folder that is on ``sys.path``, so it is the same on every machine."""

    path: str
    line: int
    function: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


def calling_line(task: Task[Any] | None = None) -> CodeLine | None:
    """The project's line that led here, or None where there is none.

    ``task`` is the one that answers an async request: the async ORM works in another thread, whose stack begins with Django.
    """
    found = _up_the_stack(sys._getframe(1))
    return found if found is not None or task is None else _down_the_awaits(task)


def is_bookkeeping() -> bool:
    """Whether a pattern of the kit (saga, outbox, ...) asked for its own sake: a row for each step is as it should be, and nobody's N+1."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and _owner(frame.f_code.co_filename) == _IS_MACHINERY:
        if frame.f_code.co_filename.startswith(_PATTERNS):
            return True
        frame = frame.f_back
    return False


def _up_the_stack(frame: FrameType | None) -> CodeLine | None:
    package: FrameType | None = None
    known = _owners.get
    while frame is not None:
        owner = known(frame.f_code.co_filename)
        if owner is None:
            owner = _owner(frame.f_code.co_filename)
        if owner != _IS_MACHINERY:
            if owner == _IS_PROJECT:
                return _line(frame.f_code, frame.f_lineno)
            if owner == _IS_BOUNDARY:
                break
            package = package or frame
        frame = frame.f_back
    return None if package is None else _line(package.f_code, package.f_lineno)


def _down_the_awaits(task: Task[Any]) -> CodeLine | None:
    innermost: CodeLine | None = None
    awaited: Any = task.get_coro()
    while (frame := getattr(awaited, "cr_frame", None)) is not None:
        if _owner(frame.f_code.co_filename) == _IS_PROJECT:
            innermost = _line(frame.f_code, frame.f_lineno)
        awaited = awaited.cr_await
    return innermost


def _line(code: CodeType, number: int) -> CodeLine:
    return CodeLine(_short_path(code.co_filename), number, code.co_qualname)


def _owner(filename: str) -> int:
    if len(_owners) >= _MOST_FILES:
        _owners.clear()
    owner = _owners[filename] = _classify(filename)
    return owner


def _classify(filename: str) -> int:
    if filename == _BOUNDARY:
        return _IS_BOUNDARY
    if filename.startswith((_DJANGO, _KIT, "<")):  # <frozen ...>, <string>: no file to point at
        return _IS_MACHINERY
    for folder in _INSTALLED:
        _, is_installed, inside = filename.rpartition(folder)
        if is_installed:
            return _IS_MACHINERY if inside.startswith(_MACHINERY) else _IS_PACKAGE
    return _IS_MACHINERY if filename.startswith(_STANDARD_LIBRARY) else _IS_PROJECT


@lru_cache(maxsize=4096)
def _short_path(filename: str) -> str:
    folders = [folder for entry in sys.path if filename.startswith(folder := f"{Path(entry).resolve()}/")]
    return filename[len(max(folders, key=len)) :] if folders else "/".join(Path(filename).parts[-2:])
