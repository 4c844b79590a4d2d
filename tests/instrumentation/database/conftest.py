"""Databases of several kinds beside the project's own SQLite file, each under an alias of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django
import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import connections

from otelkit.testing import Telemetry, capture
from tests.postgresql import PostgreSQL, running_postgresql
from tests.project.models import Item


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    with running_postgresql() as server:
        yield server


def _add(alias: str, settings: dict[str, Any]) -> None:
    connections.settings[alias] = connections.configure_settings({"default": {}, alias: settings})[alias]
    with connections[alias].schema_editor() as editor:
        editor.create_model(Item)


def _remove(alias: str) -> None:
    with connections[alias].schema_editor() as editor:
        editor.delete_model(Item)
    close(alias)
    if getattr(connections[alias], "pool", None):
        connections[alias].close_pool()
    del connections[alias]
    del connections.settings[alias]


def close(alias: str) -> None:
    """Closes the connection that the calling thread has."""
    connections[alias].close()


@pytest.fixture(scope="session")
def second_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("second")
    _add("second", {"ENGINE": "django.db.backends.sqlite3", "NAME": folder / "second.sqlite3"})
    yield "second"
    _remove("second")


@pytest.fixture(scope="session")
def postgresql_alias(postgresql: PostgreSQL) -> Iterator[str]:
    _add("postgresql", postgresql.settings())
    yield "postgresql"
    _remove("postgresql")


@pytest.fixture(scope="session")
def pooled_alias(postgresql: PostgreSQL) -> Iterator[str]:
    """PostgreSQL through Django's pool, at most three connections, half a second of patience."""
    if django.VERSION < (5, 1):
        pytest.skip(f"Django {django.get_version()} has no connection pools; 5.1 is the first that has.")
    pytest.importorskip("psycopg_pool", reason="psycopg_pool is not installed; it comes with otelkit[postgres].")
    with running_database(postgresql, "pooled") as settings:
        settings["OPTIONS"]["pool"] = {"min_size": 1, "max_size": 3, "timeout": 0.5}
        _add("pooled", settings)
        yield "pooled"
        _remove("pooled")


class running_database:  # noqa: N801  (reads as a context manager, like the functions beside it)
    """Another database on the same server, so that aliases do not see each other's tables."""

    def __init__(self, server: PostgreSQL, name: str) -> None:
        self._server, self._name = server, name

    def __enter__(self) -> dict[str, Any]:
        self._execute(f"CREATE DATABASE {self._name}")
        return {**self._server.settings(), "NAME": self._name}

    def __exit__(self, *_: object) -> None:
        self._execute(f"DROP DATABASE {self._name} WITH (FORCE)")

    def _execute(self, statement: str) -> None:
        import psycopg

        settings = self._server.settings()
        with psycopg.connect(host=settings["HOST"], user=settings["USER"], dbname="postgres", autocommit=True) as connection:
            connection.execute(statement)


@pytest.fixture(params=["default", "second_sqlite", "postgresql_alias", "pooled_alias"])
def alias(request: pytest.FixtureRequest) -> Iterator[str]:
    """Each database in turn, with an empty table."""
    found = "default" if request.param == "default" else str(request.getfixturevalue(request.param))
    Item.objects.using(found).all().delete()
    yield found
    Item.objects.using(found).all().delete()
    async_to_sync(sync_to_async(close))(found)


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    with capture({"logs": {"exporters": ["otlp"]}}) as telemetry:
        yield telemetry
