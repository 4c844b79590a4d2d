"""One address per database: what becomes of it, and what is refused."""

from __future__ import annotations

import django
import pytest

from otelkit_demo.chassis.databases import database


def test_a_sqlite_address_names_a_file_that_readers_and_a_writer_share():
    entry = database("sqlite:////data/my%20orders.sqlite3", keep_seconds=60)
    assert entry["ENGINE"] == "django.db.backends.sqlite3"
    assert entry["NAME"] == "/data/my orders.sqlite3"
    assert entry["OPTIONS"]["timeout"] == 5.0
    if django.VERSION >= (5, 1):
        assert "journal_mode=WAL" in entry["OPTIONS"]["init_command"]


def test_a_postgresql_address_gives_each_part_its_place():
    entry = database("postgresql://shop:p%40ss%2Fword@db.internal:5433/orders", keep_seconds=0)
    assert entry["ENGINE"] == "django.db.backends.postgresql"
    assert [entry[key] for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT", "CONN_MAX_AGE")] == [
        "orders",
        "shop",
        "p@ss/word",
        "db.internal",
        "5433",
        0,
    ]


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("mysql://root:hunter2@db/orders", 'DATABASE_URL has the scheme "mysql", which is neither sqlite nor postgresql.'),
        ("sqlite://", "DATABASE_URL names no database after sqlite://."),
        ("postgresql://root:hunter2@db", "DATABASE_URL names no database after postgresql://."),
    ],
)
def test_another_address_is_refused_without_its_password(address: str, sentence: str):
    with pytest.raises(ValueError, match="DATABASE_URL") as refusal:
        database(address, keep_seconds=0)
    assert str(refusal.value).startswith(sentence)
    assert "hunter2" not in str(refusal.value)
