"""The supervisor: starts the stack, the services and the load, follows them live, and leaves nothing running."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from otelkit_demo.environment import clean_environment, migration_environment, service_environment, url
from otelkit_demo.errors import DemoError
from otelkit_demo.faults import FlagFile
from otelkit_demo.folder import demo_folder, flag_file
from otelkit_demo.live import live_view
from otelkit_demo.manifest import ORDERS, SERVICES, STACK_PORT
from otelkit_demo.ports import PortWish, choose_ports
from otelkit_demo.processes import Child, Family, resident_bytes
from otelkit_demo.readiness import Server, wait_until_ready
from otelkit_demo.report import Started, print_start, say, summary_line
from otelkit_demo.snapshot import Observer
from otelkit_demo.stopping import Stopping
from otelkit_stack.queries import Queries
from otelkit_stack.rules.shipped import shipped_rules

MIGRATION_SECONDS = 60.0
FIRST_TRACE_SECONDS = 10.0
"""How soon after the services are ready a trace must be there (acceptance E1)."""
_TICK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What the user chose. ``ports`` holds the ports asked for, by name; ``minutes`` None means until Ctrl-C."""

    minutes: float | None = None
    rate: float = 4.0
    seed: int = 1
    data: Path | None = None
    load: bool = True
    ports: Mapping[str, int] = field(default_factory=dict)
    metrics_to: str | None = None
    """Address of another OTLP receiver for the metrics, such as Prometheus', instead of the embedded stack."""


class _StoppedEarlyError(Exception):
    """The user asked to stop before the demo was ready."""


def run(options: DemoOptions, console: Console) -> None:
    """Run the demo until its time is over or somebody stops it.

    Raises DemoError where it cannot start, and ChildDiedError where a child dies; nothing is left running then either.
    """
    wishes = [PortWish("stack", STACK_PORT, options.ports.get("stack"))]
    wishes += [PortWish(service.name, service.port, options.ports.get(service.name)) for service in SERVICES]
    ports = choose_ports(*wishes)
    with demo_folder(options.data) as folder:
        family = Family(folder / "logs")
        # Signals are held until the last child has gone.
        with Stopping(again=family.hurry) as stopping:
            demo = _Demo(options, console, folder, ports, family, stopping)
            try:
                with family:
                    demo.start()
                    demo.follow()
            except _StoppedEarlyError:
                pass
            finally:
                # Read after the services ended, so that what they sent last is counted.
                say(console, summary_line(demo.observer, folder))


@dataclass(slots=True)
class _Demo:
    options: DemoOptions
    console: Console
    folder: Path
    ports: Mapping[str, int]
    family: Family
    stopping: Stopping
    observer: Observer | None = None

    def start(self) -> None:
        """Stack and migrations at once, then the services, then the load; prints what runs where."""
        names = ", ".join(service.name for service in SERVICES)
        say(self.console, f"Starting the embedded stack and {names} ...")
        stack = self._start_stack()
        self._migrate()
        servers = [Server(stack, url(self.ports["stack"]), "/-/ready")]
        elsewhere = {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": self.options.metrics_to} if self.options.metrics_to else {}
        for service in SERVICES:
            port = self.ports[service.name]
            arguments = [part.format(port=port) for part in service.serve]
            child = self.family.start(service.name, arguments, {**service_environment(service, self.folder, self.ports), **elsewhere})
            servers.append(Server(child, url(port), "/readyz"))
        ready = wait_until_ready(servers, self._check)
        flags = FlagFile(flag_file(self.folder))
        self.observer = Observer(Queries(self.folder / "otelkit.db"), flags, self.ports["stack"])
        if self.options.load:
            self._start_load()
        started = [Started(s.child, s.url, ready[s.child.name], resident_bytes(s.child.pid)) for s in servers]
        print_start(self.console, started, url(self.ports["stack"]), self.folder, flags.shares())

    def follow(self) -> None:
        """Show what happens until the time is over or somebody stops the demo."""
        assert self.observer is not None
        observer = self.observer
        end_s = self.options.minutes * 60 if self.options.minutes is not None else float("inf")
        first: str | None = None
        warned = not self.options.load
        with live_view(self.console) as view:
            while not self.stopping.requested and observer.elapsed_s < end_s:
                self.family.check()
                if first is None and (first := observer.first_trace()):
                    view.say(f"First trace after {observer.elapsed_s:.1f} s: {first}")
                if first is None and not warned and observer.elapsed_s > FIRST_TRACE_SECONDS:
                    warned = True
                    view.say(f"No trace has arrived in {FIRST_TRACE_SECONDS:g} s. What the services say is in {self.folder / 'logs'}.")
                if view.is_due(observer.elapsed_s):
                    view.show(observer.look())
                time.sleep(_TICK_SECONDS)

    def _start_stack(self) -> Child:
        rules = shipped_rules("demo")  # windows of seconds, so that a fault shows while one watches
        arguments = ("--data", str(self.folder), "--port", str(self.ports["stack"]), *(("--rules", str(rules)) if rules else ()))
        return self.family.start("stack", ("otelkit_stack", *arguments), clean_environment())

    def _migrate(self) -> None:
        command = ("django", "migrate", "--verbosity", "0")
        migrations = [
            self.family.start(f"{service.name}-migrate", command, migration_environment(service, self.folder, self.ports), ends=True)
            for service in SERVICES
        ]
        begin = time.monotonic()
        while any(child.process.poll() is None for child in migrations):
            self._check()
            if time.monotonic() - begin > MIGRATION_SECONDS:
                raise DemoError(f"The migrations did not end within {MIGRATION_SECONDS:g} s.")
            time.sleep(0.02)
        self._check()

    def _start_load(self) -> None:
        target = url(self.ports[ORDERS.name])
        arguments = ("--target", target, "--rate", str(self.options.rate), "--seed", str(self.options.seed))
        self.family.start("load", ("otelkit_demo.load", *arguments), clean_environment())

    def _check(self) -> None:
        if self.stopping.requested:
            raise _StoppedEarlyError
        self.family.check()
