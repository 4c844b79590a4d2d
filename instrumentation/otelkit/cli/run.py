"""``otelkit run <server command>``: runs it, with otelkit in it and in its children."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, MutableMapping
from difflib import get_close_matches
from pathlib import Path

NAME = "run"
HELP = "run a server, worker or script of yours with telemetry, without a change of its code"

FOLDER = Path(__file__).parent.parent / "autostart"
"""Holds the ``sitecustomize`` that starts otelkit, and nothing else."""
MARK = "OTELKIT_RUN"
"""Environment variable with the process id of the command."""

_USAGE = """\
usage: otelkit run COMMAND [ARGUMENT ...]

  otelkit run gunicorn shop.wsgi
  otelkit run uvicorn shop.asgi:application --workers 4
  otelkit run python manage.py runserver
  otelkit run celery -A shop worker

The command takes the place of otelkit: same process id, so signals, exit codes and process managers work as without it.
What `"otelkit"` in INSTALLED_APPS does, this does, in the command and in the processes it starts. OTELKIT_ENABLED=false switches it off."""

_NOT_FOUND, _NOT_EXECUTABLE, _WRONG_USE = 127, 126, 2
"""Exit codes, as the shell and ``env`` have them."""


def run(arguments: list[str]) -> int:
    """Replaces this process by the command; comes back only to say why that is impossible, with the exit code."""
    if arguments[:1] in (["-h"], ["--help"]):
        print(_USAGE)
        return 0
    if arguments[:1] == ["--"]:
        arguments = arguments[1:]
    if sys.platform == "win32":
        return _complain(
            "needs an operating system that replaces a process by another. Put `import otelkit.auto` into wsgi.py.", _WRONG_USE
        )
    if not arguments or arguments[0].startswith("-"):
        given = f"{arguments[0]} is no option of it" if arguments else "which command?"
        return _complain(f"{given}\n{_USAGE}", _WRONG_USE)
    command = arguments[0]
    program = find(command, os.environ.get("PATH", os.defpath))
    if program is None:
        return _complain(_not_found(command), _NOT_FOUND)
    put_in(os.environ)
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        # Its path in full: Python finds its virtual environment by it.
        os.execv(program, [program, *arguments[1:]])  # noqa: S606  (what the user asks for)
    except OSError as error:  # not executable, no interpreter in its first line, ...
        return _complain(f"{program} cannot be run: {error.strerror}.", _NOT_EXECUTABLE)


def find(command: str, path: str) -> str | None:
    """The program's file: beside our own Python first, because there it surely finds otelkit, then on PATH."""
    if os.sep in command:
        return command if Path(command).is_file() else None
    return shutil.which(command, path=str(Path(sys.executable).parent)) or shutil.which(command, path=path)


def put_in(environ: MutableMapping[str, str]) -> None:
    """Makes every Python that starts with this environment import otelkit first. Twice is once."""
    before = environ.get("PYTHONPATH")
    others = [entry for entry in before.split(os.pathsep) if entry != str(FOLDER)] if before else []
    environ["PYTHONPATH"] = os.pathsep.join([str(FOLDER), *others])
    environ[MARK] = str(os.getpid())


def _not_found(command: str) -> str:
    if os.sep in command:
        return f"there is no file {command}."
    if Path(command).is_file():
        return f"{command} is no command, but a file here. Try:  otelkit run {'python ' if command.endswith('.py') else './'}{command} ..."
    close = get_close_matches(command, _programs(os.environ), n=1, cutoff=0.75)
    way_on = f'Did you mean "{close[0]}"?' if close else f"Is it installed here? Our Python is {sys.executable}."
    return f'no command "{command}" on PATH. {way_on}'


def _programs(environ: Mapping[str, str]) -> set[str]:
    folders = [Path(sys.executable).parent, *map(Path, environ.get("PATH", "").split(os.pathsep))]
    found: set[str] = set()
    for folder in folders:
        try:
            found.update(entry.name for entry in folder.iterdir())
        except OSError:
            continue
    return found


def _complain(text: str, code: int) -> int:
    print(f"otelkit run: {text}", file=sys.stderr)
    return code
