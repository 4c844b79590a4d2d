"""The demo as it runs: a picture that renews itself on a terminal, one line now and then everywhere else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from otelkit_demo.alerts import Firing
from otelkit_demo.report import fault_line, say
from otelkit_demo.snapshot import WINDOW_SECONDS, Snapshot
from otelkit_demo.waterfall import drawn_trace, milliseconds
from otelkit_stack.records import ServiceRed


class View(Protocol):
    """Somewhere to show snapshots."""

    def is_due(self, elapsed_s: float) -> bool:
        """Whether it is time for another picture."""

    def show(self, snapshot: Snapshot) -> None:
        """Show the picture."""

    def say(self, line: str) -> None:
        """Print a line that stays."""


@contextmanager
def live_view(console: Console) -> Iterator[View]:
    """The view that suits the console: a renewing picture on a terminal, plain lines in a pipe or a file."""
    if not console.is_terminal:
        yield PlainView(console)
        return
    # No refresh thread: the runner draws when it has something new.
    with Live(console=console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False) as live:
        yield TerminalView(live)


class _Clock:
    """Says when the next picture is due, every ``seconds``."""

    def __init__(self, seconds: float) -> None:
        self._seconds = self._next = seconds

    def is_due(self, elapsed_s: float) -> bool:
        """Whether ``seconds`` have passed since it last said so."""
        if elapsed_s < self._next:
            return False
        self._next = elapsed_s + self._seconds
        return True


class PlainView(_Clock):
    """One compact line every five seconds, without colour or control characters."""

    def __init__(self, console: Console) -> None:
        super().__init__(seconds=5.0)
        self._console = console
        self._faults: Mapping[str, float] = {}
        self._alerts: frozenset[Firing] = frozenset()

    def show(self, snapshot: Snapshot) -> None:
        """Print services and slowest trace on one line; a fault or an alert that came or went has a line of its own."""
        for name in self._faults.keys() - snapshot.faults.keys():
            self.say(f"Fault {name} is cleared.")
        for name, share in snapshot.faults.items():
            if self._faults.get(name) != share:
                self.say(fault_line(name, share))
        self._faults = snapshot.faults
        firing = frozenset(snapshot.alerts)
        for alert in sorted(firing ^ self._alerts):
            self.say(f"Alert {alert} {'fires' if alert in firing else 'is over'}.")
        self._alerts = firing
        parts = [_plain(red) for red in snapshot.red] or ["no requests yet"]
        if snapshot.slowest is not None and snapshot.slowest.root is not None:
            slowest = snapshot.slowest
            address = snapshot.trace_url(slowest.trace_id)
            parts.append(f"slowest {snapshot.slowest.root.name} {milliseconds(slowest.duration_s)} {address}")
        self.say(f"{_clock(snapshot.elapsed_s)}  {' | '.join(parts)}")

    def say(self, line: str) -> None:
        """Print the line as it is."""
        say(self._console, line)


class TerminalView(_Clock):
    """A table of the services and the slowest trace as a waterfall, drawn anew each second."""

    def __init__(self, live: Live) -> None:
        super().__init__(seconds=1.0)
        self._live = live

    def show(self, snapshot: Snapshot) -> None:
        """Replace the picture."""
        self._live.update(drawn(snapshot), refresh=True)

    def say(self, line: str) -> None:
        """Print the line above the picture."""
        say(self._live.console, line)


def drawn(snapshot: Snapshot) -> RenderableType:
    """The whole picture."""
    parts: list[RenderableType] = [Text.assemble("\n", (_clock(snapshot.elapsed_s), "bold"), "  ", (snapshot.page, "cyan"))]
    parts += [Text(fault_line(name, share), "yellow") for name, share in snapshot.faults.items()]
    parts += [Text(f"Alert {alert} fires.", "bold red") for alert in snapshot.alerts]
    parts.append(_drawn_services(snapshot.red))
    if snapshot.slowest is not None:
        parts.append(
            Text.assemble(
                "\n", (f"slowest of the last {WINDOW_SECONDS} s  ", "bold"), (snapshot.trace_url(snapshot.slowest.trace_id), "cyan")
            )
        )
        parts.append(drawn_trace(snapshot.slowest))
    return Group(*parts)


def _drawn_services(lines: tuple[ServiceRed, ...]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("service", min_width=12)
    for title in ("requests/s", "errors", "p50", "p95"):
        table.add_column(title, justify="right", min_width=10)
    for red in lines:
        errors = Text(f"{red.error_ratio:.1%}" if red.errors else "0", "bold red" if red.errors else "green")
        table.add_row(red.service, f"{red.rate:.1f}", errors, milliseconds(red.p50_s), milliseconds(red.p95_s))
    return table


def _plain(red: ServiceRed) -> str:
    return f"{red.service} {red.rate:.1f}/s, {red.errors} errors, p95 {milliseconds(red.p95_s)}"


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60:02d}:{int(seconds) % 60:02d}"
