"""``manage.py otelkit status`` and ``manage.py otelkit doctor``."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from otelkit.cli import doctor, status
from otelkit.errors import OtelkitError


class Command(BaseCommand):
    """The commands of ``otelkit`` that look at this project."""

    help = "Shows or examines this project's telemetry."
    requires_system_checks = ()  # what is wrong with the project is what doctor is asked about

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=type(parser))
        for module in (status, doctor):
            command = commands.add_parser(module.NAME, help=module.HELP)
            module.add_arguments(command)
            command.set_defaults(run=module.run)

    def handle(self, *_: Any, **options: Any) -> None:
        from argparse import Namespace

        try:
            code = options["run"](Namespace(**options))
        except OtelkitError as error:
            raise CommandError(str(error)) from error
        if code:
            sys.exit(code)
