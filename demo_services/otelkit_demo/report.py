"""What the demo prints once: the start table, and the last line."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from otelkit_demo.faults import Fault, Silence, fault_named
from otelkit_demo.folder import DEFAULT_FOLDER
from otelkit_demo.memory import Taken
from otelkit_demo.snapshot import Observer
from otelkit_stack.errors import StackError


@dataclass(frozen=True, slots=True)
class Started:
    """One running server with its companions. ``taken`` by all their processes is None where the system does not say."""

    name: str
    url: str
    ready_s: float
    taken: Taken | None


@dataclass(frozen=True, slots=True)
class Start:
    """What runs once all servers are ready, and where. ``taken`` is by every process, this one included."""

    servers: Sequence[Started]
    up_s: float
    taken: Taken | None
    page: str
    shop: str | None
    folder: Path
    faults: Mapping[str, float]


def print_start(console: Console, start: Start) -> None:
    """Print what runs where, the one address to open, and the faults that are already set."""
    table = Table(box=None, pad_edge=False)
    table.add_column("service")
    table.add_column("address")
    for numeric in ("processes", "ready after", "memory"):
        table.add_column(numeric, justify="right")
    for row in start.servers:
        table.add_row(row.name, row.url, _count(row.taken), f"{row.ready_s:.1f} s", _mebibytes(row.taken))
    console.print(table)
    lines = [f"Services up after {start.up_s:.1f} s; {_count(start.taken)} processes take {_mebibytes(start.taken)}."]
    lines += [f"Open {start.page}" + (f" for what is observed, {start.shop} for the shop" if start.shop else "")]
    lines += [f"Data and logs: {start.folder}"]
    lines += [fault_line(name, share) for name, share in start.faults.items()]
    where = "" if start.folder == DEFAULT_FOLDER.absolute() else f" --data {start.folder}"
    lines.append(f"Break something: {_command()} fault set inventory.fail{where}      Stop: Ctrl-C")
    for line in lines:
        say(console, line)


def _count(taken: Taken | None) -> str:
    return str(taken.processes) if taken else "-"


def _mebibytes(taken: Taken | None) -> str:
    return f"{taken.memory / 2**20:.0f} MiB" if taken else "-"


def _command() -> str:
    """What to type in another terminal in the same folder: the interpreter that runs this one has the demo installed."""
    program = Path(sys.executable)
    here = Path.cwd()
    return f"{program.relative_to(here) if program.is_relative_to(here) else program} -m otelkit_demo"


def say(console: Console, line: str) -> None:
    """Print one line as it is: unwrapped, so that addresses stay whole, and uncoloured."""
    console.print(line, markup=False, highlight=False, soft_wrap=True)


def fault_line(name: str, share: float) -> str:
    """One active fault: what it does to whom, and which alert to expect."""
    fault = fault_named(name)
    return f"Fault {name} hits {share:.0%}: {fault.seen} {promise_line(fault)}"


def promise_line(fault: Fault) -> str:
    """Which alert will fire about whom, and how soon, or why none does."""
    if isinstance(fault.promise, Silence):
        return f"No alert: {fault.promise.reason}"
    return f"Expect {fault.promise.name} of {fault.promise.service} within {fault.promise.within_s // 60} min."


def summary_line(observer: Observer | None, folder: Path) -> str:
    """What the run came to, once everything has ended."""
    if observer is None:
        return "Stopped before the demo was ready. Nothing is left running."
    try:
        totals = observer.totals()
    except StackError as error:
        return f"Stopped; the store in {folder} cannot be read ({error}). Nothing is left running."
    counts = ", ".join(f"{red.service} {red.requests} requests ({red.errors} failed)" for red in totals) or "no requests"
    return f"After {observer.elapsed_s:.0f} s: {counts}. Nothing is left running. Data and logs: {folder}"
