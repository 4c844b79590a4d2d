"""What this process is: a server, a command or neither. Decides whether to start, before anything is set up."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_SERVERS = frozenset({"runserver", "testserver"})
_DJANGO = frozenset({"manage.py", "django-admin", "django-admin.py", "django"})
_PYTEST = frozenset({"pytest", "py.test"})
_PYTEST_PLUGIN = "otelkit.testing.plugin"
"""Loaded by pytest, and by nobody else."""


def reason_to_stay_off(arguments: list[str] | None = None) -> str | None:
    """Why this process needs no telemetry, in words, or None where it does.

    Django's own one-shot commands (migrate, collectstatic, shell, ...) have nothing to tell and must not wait for a collector when
    they end; the autoreloader's parent only watches files. The project's own commands do start.
    """
    is_pytest = arguments is None and _PYTEST_PLUGIN in sys.modules  # an editor runs pytest under a name of its own
    arguments = sys.argv if arguments is None else arguments
    program = _program(arguments)
    if program == "otelkit":
        return "the command line starts what it needs itself"
    if is_pytest or program in _PYTEST:
        return "tests start it where they want it, with otelkit.testing.capture()"
    if program not in _DJANGO:
        return None
    if len(arguments) < 2:
        return "manage.py alone only lists its commands"
    command = arguments[1]
    if command == "runserver" and "--noreload" not in arguments and os.environ.get("RUN_MAIN") != "true":
        return "this is the autoreloader's parent; its child serves"
    if command in _SERVERS:
        return None
    from django.core.management import get_commands

    owner = get_commands().get(command)
    if owner is None and command not in ("help", "version", "-h", "--help", "--version"):
        return f"manage.py {command} is no command of this project"
    if owner is None or str(owner).startswith("django."):
        return f"manage.py {command} is one of Django's own short commands"
    if owner == "otelkit":
        return f"manage.py {command} starts what it needs itself"
    return None


def short_command(arguments: list[str] | None = None) -> str | None:
    """The one of Django's own short commands that this process runs, or None."""
    arguments = sys.argv if arguments is None else arguments
    if _program(arguments) not in _DJANGO or len(arguments) < 2 or arguments[1] in _SERVERS:
        return None
    from django.core.management import get_commands

    owner = get_commands().get(arguments[1])
    return arguments[1] if str(owner).startswith("django.") else None


def is_checked_first(arguments: list[str] | None = None) -> bool:
    """Whether this is a command of Django that runs every system check before it does its work, and stops at an error."""
    arguments = sys.argv if arguments is None else arguments
    if _program(arguments) not in _DJANGO or len(arguments) < 2 or "--skip-checks" in arguments:
        return False
    if arguments[1] == "runserver":  # runs them itself, in the process that serves
        return True
    from django.core.management import BaseCommand, get_commands, load_command_class

    owner = get_commands().get(arguments[1])
    if owner is None:
        return False
    command = owner if isinstance(owner, BaseCommand) else load_command_class(owner, arguments[1])
    return bool(command.requires_system_checks == "__all__")


def is_command(arguments: list[str] | None = None) -> bool:
    """Whether this process is a management command that serves nobody: what it prints is what somebody asked for."""
    arguments = sys.argv if arguments is None else arguments
    return _program(arguments) in _DJANGO and len(arguments) > 1 and arguments[1] not in _SERVERS


def _program(arguments: list[str]) -> str:
    """The program's file name; of ``python -m package`` the package's, whose ``__main__.py`` is the file."""
    path = Path(arguments[0] if arguments else "")
    return path.parent.name if path.name == "__main__.py" else path.name
