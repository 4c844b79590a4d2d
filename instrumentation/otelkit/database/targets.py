"""Which database a connection leads to, as labels and attributes. Only the settings are read: the database is never asked."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

_SYSTEMS = {"postgresql": "postgresql", "sqlite": "sqlite", "mysql": "mysql", "oracle": "oracle.db", "microsoft": "microsoft.sql_server"}
"""Django's vendor name to db.system.name (semantic conventions, database)."""
_IN_MEMORY = ":memory:"


class Target(NamedTuple):
    """One configured database."""

    system: str
    namespace: str
    attributes: tuple[tuple[str, str | int], ...]
    """What its spans say about it beside both."""


def target_of(connection: Any) -> Target:
    """The database of Django's connection. Read at each query: a test runner renames databases while connections exist."""
    settings = connection.settings_dict
    return _target(connection.vendor, connection.alias, settings.get("NAME"), settings.get("HOST"), settings.get("PORT"))


@lru_cache(maxsize=256)
def _target(vendor: str, alias: str, name: Any, host: Any, port: Any) -> Target:
    attributes: list[tuple[str, str | int]] = []
    if host:
        attributes.append(("server.address", str(host)))
        if str(port).isdigit():
            attributes.append(("server.port", int(port)))
    if alias != "default":
        # A replica has the name of its primary.
        attributes.append(("django.db.alias", alias))
    return Target(_SYSTEMS.get(vendor, vendor), database_name(vendor, str(name or alias)), tuple(attributes))


def database_name(vendor: str, name: str) -> str:
    """The database's name; of SQLite the file's, without the folder, which differs between machines."""
    if vendor != "sqlite":
        return name
    return _IN_MEMORY if ":memory:" in name or "mode=memory" in name else name.replace("\\", "/").rpartition("/")[2]


def is_private(connection: Any) -> bool:
    """Whether the database is in this connection's memory: a connection of another thread sees another one."""
    return target_of(connection).namespace == _IN_MEMORY
