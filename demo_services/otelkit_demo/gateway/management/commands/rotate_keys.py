"""``manage.py rotate_keys``: the next signing key now, without waiting for its hour."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from otelkit_demo.gateway import keys


class Command(BaseCommand):
    """Makes the gateway sign with a new key soon."""

    help = (
        "Publishes a new key, and signs with it as soon as everybody may know it; the one before is published until its last token expires."
    )

    def handle(self, *_: Any, **__: Any) -> None:
        seconds = keys.PUBLISHED_BEFORE.total_seconds()
        self.stdout.write(f"Tokens are signed with {keys.rotate().kid} in {seconds:g} s.")
