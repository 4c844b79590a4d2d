"""What the commands ``outbox`` and ``inbox`` share: dead letters, replay, purge, and errors in words."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError, CommandParser

from otelkit.errors import OtelkitError
from otelkit.patterns.events.letters import Box


class EventsCommand(BaseCommand):
    """A command with subcommands; the first is the box's own, the others are about dead letters and old rows."""

    box: ClassVar[Box]

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=type(parser))
        self.add_own(commands)
        dead = self.add(commands, "dead", "list dead letters, the oldest first", self._dead)
        dead.add_argument("--json", action="store_true", help="one JSON object a line")
        dead.add_argument("--limit", type=int, default=100, help="at most so many (default: %(default)s)")
        replay = self.add(commands, "replay", "try dead letters again", self._replay)
        replay.add_argument("numbers", nargs="*", type=int, metavar="NUMBER", help="as `dead` shows them")
        replay.add_argument("--all", action="store_true", help="all of them")
        purge = self.add(commands, "purge", "throw away what was done long ago", self._purge)
        purge.add_argument("--days", type=float, default=7.0, help="done so many days ago, or more (default: %(default)g)")

    def add_own(self, commands: Any) -> None:
        """Adds what only this box can do."""

    def add(self, commands: Any, name: str, help: str, run: Callable[[Namespace], None]) -> ArgumentParser:
        """Adds one subcommand, with the choice of a database."""
        made: ArgumentParser = commands.add_parser(name, help=help)
        made.add_argument("--database", default="default", help="alias of the database (default: %(default)s)")
        made.set_defaults(run=run)
        return made

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            options["run"](Namespace(**options))
        except OtelkitError as error:
            raise CommandError(str(error)) from error

    def _dead(self, options: Namespace) -> None:
        found = self.box.dead(options.database, options.limit)
        for letter in found:
            self.stdout.write(json.dumps(letter.plain()) if options.json else str(letter))
        if not found and not options.json:
            self.stdout.write("No dead letters.")

    def _replay(self, options: Namespace) -> None:
        if bool(options.numbers) == options.all:
            raise CommandError("Name the dead letters to replay by their numbers, or say --all.")
        number = self.box.replay(options.database, None if options.all else options.numbers)
        self.stdout.write(f"{number} dead letters are tried again.")

    def _purge(self, options: Namespace) -> None:
        self.stdout.write(f"{self.box.purge(options.database, options.days)} rows are gone.")
