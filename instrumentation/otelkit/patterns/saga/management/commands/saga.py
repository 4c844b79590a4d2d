"""``manage.py saga sweep``: what nobody goes on with, goes on; what takes too long, turns back."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, InterfaceError, connections

from otelkit.patterns.ending import until_told
from otelkit.patterns.saga.models import SagaRun, State
from otelkit.patterns.saga.orchestrating import logger, retry, sweep


class Command(BaseCommand):
    """Looks after sagas."""

    help = "Goes on with sagas that are due, turns back those that take too long, and shows those that failed."

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=type(parser))
        sweeping = self._add(commands, "sweep", "go on with what is due, until SIGTERM or Ctrl-C", self._sweep)
        sweeping.add_argument("--every", type=float, default=5.0, metavar="SECONDS", help="pause between two looks (default: %(default)g)")
        sweeping.add_argument("--once", action="store_true", help="look once, and end")
        self._add(commands, "failed", "list sagas whose compensation failed for good", self._failed)
        again = self._add(commands, "retry", "try failed compensations again", self._retry)
        again.add_argument("keys", nargs="*", metavar="KEY", help="as `failed` shows them")
        again.add_argument("--all", action="store_true", help="all of them")

    def _add(self, commands: Any, name: str, help: str, run: Callable[[Namespace], None]) -> ArgumentParser:
        made: ArgumentParser = commands.add_parser(name, help=help)
        made.add_argument("--database", default="default", help="alias of the database (default: %(default)s)")
        made.set_defaults(run=run)
        return made

    def handle(self, *_: Any, **options: Any) -> None:
        options["run"](Namespace(**options))

    def _sweep(self, options: Namespace) -> None:
        if options.once:
            self.stdout.write(f"{sweep(options.database)} sagas went on.")
            return
        with until_told() as ending:
            while not ending.is_set():
                try:
                    handled = sweep(options.database)
                except (DatabaseError, InterfaceError) as error:
                    logger.warning("The sweeper waits for its database: %s: %s", type(error).__qualname__, error)
                    connections[options.database].close()
                    handled = 0
                if not handled:
                    ending.wait(options.every)

    def _failed(self, options: Namespace) -> None:
        found = list(SagaRun.objects.using(options.database).filter(state=State.FAILED).order_by("id"))
        for run in found:
            left = ", ".join(run.done)
            self.stdout.write(f"{run.saga} {run.key}  since {run.started_at:%Y-%m-%dT%H:%M:%SZ}  not undone: {left}  {run.error}")
        if not found:
            self.stdout.write("No saga has failed.")

    def _retry(self, options: Namespace) -> None:
        if bool(options.keys) == options.all:
            raise CommandError("Name the sagas to retry by their keys, or say --all.")
        self.stdout.write(f"{retry(options.database, None if options.all else options.keys)} sagas are tried again.")
