"""The command line: ``python -m otelkit_demo``, which ``otelkit demo`` and ``make demo`` call too."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from otelkit_demo.errors import DemoError
from otelkit_demo.faults import BAD_VERSION, FAULTS, FLAG_FILE_VARIABLE, FaultError, FlagFile
from otelkit_demo.folder import DEFAULT_FOLDER, deploy_file, flag_file
from otelkit_demo.load import not_negative, positive
from otelkit_demo.manifest import SERVICES, Service
from otelkit_demo.mystery import key
from otelkit_demo.report import fault_line, promise_line
from otelkit_demo.runner import DemoOptions, run
from otelkit_demo.versions import DEPLOYABLE, Deploys

_STOPPED, _FAILED = 0, 1
_NAME_WIDTH = max(len(fault.name) for fault in FAULTS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code: 0 also when stopped by Ctrl-C, 1 with a sentence on stderr when it failed."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except (DemoError, FaultError) as error:
        print(error, file=sys.stderr)
    except BrokenPipeError:
        # Whoever read our output has gone. Python would complain once more when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        print(f"The demo cannot go on: {error.strerror or error}{where}.", file=sys.stderr)
    return _FAILED


def _demo(options: argparse.Namespace) -> int:
    asked = {name: getattr(options, f"{name}_port") for name in _PORT_NAMES}
    chosen = DemoOptions(
        minutes=options.minutes,
        load=options.load,
        seed=options.seed,
        data=options.data,
        services=options.services,
        ports={name: port for name, port in asked.items() if port is not None},
        mystery=options.mystery,
        observed=options.observed,
        metrics_to=options.metrics_to,
    )
    run(chosen, Console())
    return _STOPPED


def _set_fault(options: argparse.Namespace) -> int:
    flags = _flags(options)
    flags.set(options.name, options.share)
    print(fault_line(options.name, options.share))
    return _STOPPED


def _clear_fault(options: argparse.Namespace) -> int:
    ended = _flags(options).clear(options.name)
    print(f"Cleared: {', '.join(ended)}." if ended else "Nothing was set.")
    return _STOPPED


def _list_faults(options: argparse.Namespace) -> int:
    shares = _flags(options, must_run=False).shares()
    for fault in FAULTS:
        state = f"{shares[fault.name]:.0%}" if fault.name in shares else "off"
        print(f"{fault.name:<{_NAME_WIDTH}} {state:>5}  {fault.seen}\n{'':<{_NAME_WIDTH + 8}}{promise_line(fault)}")
        if fault.alarm:
            print(f"{'':<{_NAME_WIDTH + 8}}{fault.alarm.runbook}")
    return _STOPPED


def _flags(options: argparse.Namespace, *, must_run: bool = True) -> FlagFile:
    """The flag file of the demo in ``--data``. Raises DemoError where no demo has made that folder."""
    given = os.environ.get(FLAG_FILE_VARIABLE)
    if given and options.data is None:
        return FlagFile(Path(given))
    return FlagFile(flag_file(_folder(options) if must_run else options.data or DEFAULT_FOLDER))


_PORT_NAMES = ("stack", *(service.name for service in SERVICES))


def _deploy(options: argparse.Namespace) -> int:
    deploys = Deploys(deploy_file(_folder(options)))
    if options.version is not None:
        deploys.deploy(options.service, options.version)
        print(f"{options.service} {options.version} starts beside the version that runs.")
    elif deploys.take_back(options.service):
        print(f"The second version of {options.service} is taken back.")
    else:
        print(f"{options.service} runs one version.")
    return _STOPPED


def _answer(options: argparse.Namespace) -> int:
    print(key(options.seed, options.acts))
    return _STOPPED


def _folder(options: argparse.Namespace) -> Path:
    """The folder of ``--data``. Raises DemoError where no demo has made it."""
    folder: Path = options.data or DEFAULT_FOLDER
    if not folder.is_dir():
        raise DemoError(f"No demo has run in {folder}. Start one, or name its folder with --data DIR.")
    return folder


def _services(text: str) -> tuple[Service, ...]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    known = {service.name: service for service in SERVICES}
    for name in names:
        if name not in known:
            raise argparse.ArgumentTypeError(f'"{name}" is no service. Known are: {", ".join(known)}')
    if not names:
        raise argparse.ArgumentTypeError(f"it names no service. Known are: {', '.join(known)}")
    return tuple(service for service in SERVICES if service.name in names)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="otelkit demo", description="A shop of Django services, observed by otelkit, without Docker.")
    parser.set_defaults(command=_demo)
    parser.add_argument(
        "--services",
        type=_services,
        default=SERVICES,
        metavar="A,B",
        help="start these alone; whoever calls the others finds nobody (all)",
    )
    parser.add_argument("--minutes", type=positive, metavar="N", help="stop after so many; by default at Ctrl-C")
    parser.add_argument("--load", type=not_negative, metavar="N", default=4.0, help="requests a second, 0 for none (%(default)g)")
    parser.add_argument("--seed", type=int, metavar="N", default=1, help="the same seed sends the same requests (%(default)s)")
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help=f"folder for databases and logs, kept; by default {DEFAULT_FOLDER}, emptied"
    )
    parser.add_argument("--mystery", action="store_true", help="something goes wrong by itself, find it; Ctrl-C tells what it was")
    parser.add_argument(
        "--without-otelkit",
        dest="observed",
        action="store_false",
        help="switch the kit off in the services, to compare: nothing is observed",
    )
    parser.add_argument(
        "--metrics-to", metavar="URL", help="send metrics to this address instead, for example http://127.0.0.1:9090/api/v1/otlp/v1/metrics"
    )
    for name in _PORT_NAMES:
        parser.add_argument(f"--{name}-port", type=int, metavar="PORT", help=f"port of {name}; by default the usual one, or any free one")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    fault = commands.add_parser("fault", help="break something on purpose").add_subparsers(
        title="commands", metavar="COMMAND", required=True
    )
    _add_fault_commands(fault)
    deploy = commands.add_parser("deploy", help="run a second version of a service beside the first")
    deploy.set_defaults(command=_deploy)
    deploy.add_argument("service", help=", ".join(service.name for service in DEPLOYABLE))
    deploy.add_argument("version", nargs="?", help=f"such as {BAD_VERSION}; without one, the second version is taken back")
    deploy.add_argument("--data", type=Path, metavar="DIR", help="folder of the running demo")
    answer = commands.add_parser("answer", help="what was wrong in a run with --mystery")
    answer.set_defaults(command=_answer)
    answer.add_argument("--seed", type=int, metavar="N", default=1, help="the seed of that run (%(default)s)")
    answer.add_argument("--acts", type=int, metavar="N", default=3, help="how many answers (%(default)s)")
    return parser


def _add_fault_commands(fault: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    setting = fault.add_parser("set", help="break a share of the calls")
    setting.set_defaults(command=_set_fault)
    setting.add_argument("name")
    setting.add_argument("share", type=float, nargs="?", default=1.0, help="from 0 to 1 (%(default)s)")
    clearing = fault.add_parser("clear", help="mend one fault, or all")
    clearing.set_defaults(command=_clear_fault)
    clearing.add_argument("name", nargs="?")
    listing = fault.add_parser("list", help="what can be broken, and what is")
    listing.set_defaults(command=_list_faults)
    for parser in (setting, clearing, listing):
        parser.add_argument("--data", type=Path, metavar="DIR", help="folder of the running demo")


if __name__ == "__main__":
    sys.exit(main())
