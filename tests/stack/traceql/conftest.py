"""The store that the tests of TraceQL ask."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from otelkit_stack.database import open_reader
from otelkit_stack.receiver.traces import read_traces
from otelkit_stack.store import Store
from tests.stack.traceql.shop import shop


@pytest.fixture(scope="session")
def shop_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the traces of the shop."""
    with Store(tmp_path_factory.mktemp("shop"), retention_s=None) as store:
        for request in shop():
            store.submit(read_traces(request)[0])
        store.flush()
        return store.file


@pytest.fixture
def shop_connection(shop_file: Path) -> Iterator[sqlite3.Connection]:
    """A reader of it."""
    connection = open_reader(shop_file)
    yield connection
    connection.close()
