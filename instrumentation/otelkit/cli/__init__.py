"""The command ``otelkit``: run, status, doctor, demo, stack, and what asks a stack."""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from importlib.util import find_spec

import otelkit
from otelkit.cli import run
from otelkit.errors import OtelkitError

_OTHER_ROOMS = {
    "demo": ("otelkit_demo.__main__", "demo", "run the demo: services, load and faults, without Docker"),
    "stack": ("otelkit_stack.__main__", "stack", "run the embedded stack: an OTLP receiver with its store"),
    "query": ("otelkit_stack.commands.query", "stack", "ask a stack in PromQL, LogQL or TraceQL"),
    "tail": ("otelkit_stack.commands.tail", "stack", "follow the log lines that a stack receives"),
    "export": ("otelkit_stack.commands.exporting", "stack", "write what a stack holds into a zip file, to attach to an issue"),
    "import": ("otelkit_stack.commands.importing", "stack", "send such a file to a stack"),
}
"""Command -> (module, extra, help). Their arguments are their own."""


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; gives the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == [run.NAME]:
        return run.run(arguments[1:])  # what stands behind is not ours to parse
    if arguments and arguments[0] in _OTHER_ROOMS:
        return _other_room(arguments[0], arguments[1:])
    options = _parser().parse_args(arguments)
    try:
        _set_up_django(options.settings)
        code: int = options.run(options)
    except OtelkitError as error:
        print(error, file=sys.stderr)
        return 2
    return code


def _parser() -> argparse.ArgumentParser:
    from otelkit.cli import doctor, status  # they import all of the kit, which `run` must not wait for

    parser = argparse.ArgumentParser(prog="otelkit", description="Observability for Django microservices.")
    parser.add_argument("--version", action="version", version=f"otelkit {otelkit.__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for module in (status, doctor):
        command = commands.add_parser(module.NAME, help=module.HELP, description=module.HELP)
        command.add_argument("--settings", help="Python path of the project's settings; DJANGO_SETTINGS_MODULE otherwise")
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    commands.add_parser(run.NAME, help=run.HELP)
    for name, (_, _, help_text) in _OTHER_ROOMS.items():
        commands.add_parser(name, help=help_text)
    return parser


def _set_up_django(settings: str | None) -> None:
    """Raises OtelkitError when there is no project to look at."""
    if settings:
        os.environ["DJANGO_SETTINGS_MODULE"] = settings
    module = os.environ.get("DJANGO_SETTINGS_MODULE")
    if not module:
        raise OtelkitError(
            "Which project? Give --settings mysite.settings, set DJANGO_SETTINGS_MODULE, or use `python manage.py otelkit ...`."
        )
    sys.path.insert(0, "")  # as manage.py does: the project is where one stands
    import django

    try:
        django.setup()
    except OtelkitError:
        raise
    except Exception as error:
        is_elsewhere = isinstance(error, ModuleNotFoundError) and error.name == module.partition(".")[0]
        way_on = "Run this where manage.py is." if is_elsewhere else "`python manage.py check` shows where."
        said = str(error) if isinstance(error, ImportError) else f"{type(error).__name__}: {error}"
        raise OtelkitError(f"The settings {module} cannot be loaded: {said}. {way_on}") from error


def _other_room(command: str, arguments: list[str]) -> int:
    name, extra, _ = _OTHER_ROOMS[command]
    try:
        if find_spec(name) is None:
            raise ModuleNotFoundError(name)
        module = import_module(name)
    except ModuleNotFoundError as error:
        print(f"otelkit {command} needs {error.name or error}. Install it with:  pip install 'otelkit[{extra}]'", file=sys.stderr)
        return 2
    code = module.main(arguments)
    return int(code or 0)
