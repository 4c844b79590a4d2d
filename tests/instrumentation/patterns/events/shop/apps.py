"""The shop's app."""

from django.apps import AppConfig
from django.db.backends.signals import connection_created


class ShopConfig(AppConfig):
    name = "tests.instrumentation.patterns.events.shop"
    label = "shop"

    def ready(self) -> None:
        connection_created.connect(_hurry, dispatch_uid="shop")


def _hurry(connection, **_: object) -> None:
    """These processes are killed, the machine is not: nobody needs to wait for the disk."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA journal_mode = WAL")
            cursor.execute("PRAGMA synchronous = OFF")
