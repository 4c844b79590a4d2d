"""One database per service, named by one address: a SQLite file on a laptop, PostgreSQL in compose."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

import django

BUSY_SECONDS = 5.0
"""How long a query waits for another writer before it fails (SQLite has one writer at a time)."""

_SQLITE_ADVICE = "Write it as sqlite:////absolute/path.sqlite3 or postgresql://user:password@host:5432/name."


def database(address: str, *, keep_seconds: int) -> dict[str, Any]:
    """The entry of ``DATABASES`` for an address like ``sqlite:////data/orders.sqlite3``.

    ``keep_seconds`` is how long an idle connection is kept; async services take 0, since their threads come and go.
    Raises ValueError for another scheme, and for an address without a file or database name.
    """
    parts = urlsplit(address)
    if parts.scheme == "sqlite":
        return _sqlite(unquote(parts.path)[1:], address, keep_seconds)
    if parts.scheme in ("postgresql", "postgres"):
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": _required(unquote(parts.path)[1:], address),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": parts.hostname or "",
            "PORT": str(parts.port or ""),
            "CONN_MAX_AGE": keep_seconds,
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": {"connect_timeout": 3},
        }
    # Not the address itself: it may hold a password.
    raise ValueError(f'DATABASE_URL has the scheme "{parts.scheme}", which is neither sqlite nor postgresql. {_SQLITE_ADVICE}')


def _sqlite(path: str, address: str, keep_seconds: int) -> dict[str, Any]:
    options: dict[str, Any] = {"timeout": BUSY_SECONDS}
    if django.VERSION >= (5, 1):
        # Readers do not wait for the writer; and a transaction takes its lock at its start, where waiting is still allowed.
        options |= {"transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"}
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": _required(path, address),
        "CONN_MAX_AGE": keep_seconds,
        "OPTIONS": options,
    }


def _required(name: str, address: str) -> str:
    if not name:
        raise ValueError(f"DATABASE_URL names no database after {urlsplit(address).scheme}://. {_SQLITE_ADVICE}")
    return name
