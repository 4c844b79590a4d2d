"""Opening the database: one stack that writes, any number of readers, and one clear sentence for each way it fails."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

from otelkit_stack import schema
from otelkit_stack.errors import StackError

FILE_NAME = "otelkit.db"
BUSY_TIMEOUT_S = 5.0
"""How long to wait for a program that holds the database, such as a ``sqlite3`` shell in a transaction."""
_CACHE_KIB = 16 * 1024
_PAGES_OF_LOG = 8_000
"""After which SQLite moves its log into the database: 32 MB, of which many are the same pages."""


def database_file(path: Path) -> Path:
    """The database at ``path``, where a folder (also one that is still to be made) stands for the ``otelkit.db`` in it."""
    return path if path.suffix == ".db" and not path.is_dir() else path / FILE_NAME


def claim(file: Path) -> sqlite3.Connection:
    """Make this process the one stack of the database, until the connection is closed or the process ends, however it ends.

    Raises StackError where another stack has it, or the folder cannot be written to.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # SQLite's own file lock: it works on every system, also within one process, and a killed process cannot leave it behind.
        connection = sqlite3.connect(file.with_suffix(".lock"), timeout=0, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error:
            connection.close()
            raise
    except sqlite3.OperationalError as error:
        if error.sqlite_errorname.startswith("SQLITE_BUSY"):
            raise StackError(f"{file} is in use by another stack. Stop that one, or choose another folder with --data.") from error
        raise StackError(explain(error, file)) from error
    except (OSError, sqlite3.Error) as error:
        raise StackError(explain(error, file)) from error
    return connection


def open_writer(file: Path) -> sqlite3.Connection:
    """A connection in autocommit mode to a database that exists and has every table. Raises StackError."""
    try:
        connection = sqlite3.connect(file, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            # In WAL mode a killed process loses nothing by this; a power cut may lose the last transactions, never the database.
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute(f"PRAGMA journal_size_limit = {64 * 1024 * 1024}")
            # Spans go into two indices by their ids, which are random: each page of them would be read and written again and again.
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            connection.execute(f"PRAGMA wal_autocheckpoint = {_PAGES_OF_LOG}")
            _refuse_newer(connection, file)
            schema.upgrade(connection)
        except (StackError, sqlite3.Error):
            connection.close()
            raise
    except sqlite3.Error as error:
        raise StackError(explain(error, file)) from error
    return connection


def open_reader(file: Path) -> sqlite3.Connection:
    """A read-only connection, beside a running stack or without one. Raises StackError."""
    if not file.exists():
        raise StackError(f"{file} does not exist. Start the stack with this folder first: python -m otelkit_stack --data {file.parent}")
    try:
        connection = sqlite3.connect(
            f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        try:
            _refuse_newer(connection, file)
            if schema.version_of(connection) < schema.VERSION:
                raise StackError(
                    f"{file} was written by an older otelkit. Start the stack once with this folder: it brings the tables up to date."
                )
        except (StackError, sqlite3.Error):
            connection.close()
            raise
    except sqlite3.Error as error:
        raise StackError(explain(error, file)) from error
    return connection


def explain(error: OSError | sqlite3.Error, file: Path) -> str:
    """What went wrong with the database, as one sentence and the way on."""
    folder = file.parent
    name = getattr(error, "sqlite_errorname", "")
    number = error.errno if isinstance(error, OSError) else None
    if name == "SQLITE_FULL" or number in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk that holds {folder} is full. Free some space, or choose another folder with --data."
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")) or number in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{folder} cannot be written to. Make it writable for this user, or choose another folder with --data."
    if number in (errno.ENOTDIR, errno.EEXIST):
        return f"{folder} is not a folder. Choose another one with --data."
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return f"{file} is locked by another program. Close that one (a database shell, a backup) and try again."
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return f"{file} is damaged, or not a database of otelkit. Move it away and start again."
    return f"{file} cannot be used: {error}. Choose another folder with --data."


def _refuse_newer(connection: sqlite3.Connection, file: Path) -> None:
    version = schema.version_of(connection)
    if version > schema.VERSION:
        raise StackError(
            f"{file} was written by a newer otelkit (tables of version {version}; this one knows {schema.VERSION})."
            " Upgrade otelkit, or choose another folder with --data."
        )
