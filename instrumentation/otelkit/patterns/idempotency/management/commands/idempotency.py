"""``manage.py idempotency sweep``: keys that have expired are taken away."""

from __future__ import annotations

import logging
from argparse import Namespace
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, InterfaceError, connections

from otelkit.patterns.ending import until_told
from otelkit.patterns.idempotency.database import sweep

logger = logging.getLogger("otelkit.idempotency")


class Command(BaseCommand):
    """Looks after idempotency keys."""

    help = "Takes idempotency keys away that have expired."

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=type(parser))
        sweeping = commands.add_parser("sweep", help="take away what has expired")
        sweeping.add_argument("--database", default="default", help="alias of the database (default: %(default)s)")
        sweeping.add_argument("--every", type=float, metavar="SECONDS", help="again and again, until SIGTERM or Ctrl-C")

    def handle(self, *_: Any, **options: Any) -> None:
        chosen = Namespace(**options)
        if chosen.every is None:
            self.stdout.write(f"{sweep(chosen.database)} keys are gone.")
            return
        with until_told() as ending:
            while not ending.is_set():
                try:
                    sweep(chosen.database)
                except (DatabaseError, InterfaceError) as error:
                    logger.warning("Expired idempotency keys could not be taken away (%s); the next look may.", type(error).__name__)
                    connections[chosen.database].close()
                ending.wait(chosen.every)
