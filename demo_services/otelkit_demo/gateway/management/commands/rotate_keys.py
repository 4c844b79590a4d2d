"""``manage.py rotate_keys``: a new signing key now, as after one may have become known."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from otelkit_demo.gateway import keys


class Command(BaseCommand):
    """Makes the gateway sign with a new key."""

    help = "Signs with a new key from now on; the one before is published until its last token has expired."

    def handle(self, *_: Any, **__: Any) -> None:
        self.stdout.write(f"Tokens are signed with {keys.rotate().kid} from now on.")
