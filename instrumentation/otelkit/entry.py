"""What this process is: a server, a command or neither. Decides whether to start, before anything is set up."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_SERVERS = frozenset({"runserver", "testserver"})


def reason_to_stay_off(arguments: list[str] | None = None) -> str | None:
    """Why this process needs no telemetry, in words, or None where it does.

    Django's own one-shot commands (migrate, collectstatic, shell, ...) have nothing to tell and must not wait for a collector when
    they end; the autoreloader's parent only watches files. The project's own commands do start.
    """
    arguments = sys.argv if arguments is None else arguments
    program = Path(arguments[0]).name if arguments else ""
    if program == "otelkit":
        return "the command line starts what it needs itself"
    if program not in ("manage.py", "django-admin", "django-admin.py", "__main__.py") or len(arguments) < 2:
        return None
    command = arguments[1]
    if command == "runserver" and "--noreload" not in arguments and os.environ.get("RUN_MAIN") != "true":
        return "this is the autoreloader's parent; its child serves"
    if command in _SERVERS:
        return None
    from django.core.management import get_commands

    owner = str(get_commands().get(command, ""))
    if owner.startswith("django.") or command in ("help", "version", "--help", "--version"):
        return f"manage.py {command} is one of Django's own short commands"
    if owner == "otelkit":
        return f"manage.py {command} starts what it needs itself"
    return None
