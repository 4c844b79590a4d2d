"""The supervisor: starts the stack, the services and the load, follows them live, and leaves nothing running."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from otelkit_demo.environment import Run, clean_environment, migration_environment, service_environment, url
from otelkit_demo.errors import DemoError
from otelkit_demo.faults import FLAG_FILE_VARIABLE, FlagFile
from otelkit_demo.folder import demo_folder, deploy_file, flag_file
from otelkit_demo.live import View, live_view
from otelkit_demo.manifest import GATEWAY, SERVICES, STACK_PORT, Service
from otelkit_demo.memory import NOTHING, taken_by, taken_by_me
from otelkit_demo.milestones import Milestones
from otelkit_demo.mystery import Mystery, key
from otelkit_demo.ports import PortWish, choose_ports
from otelkit_demo.processes import Child, Family, Tier
from otelkit_demo.readiness import Server, wait_until_ready
from otelkit_demo.report import Start, Started, print_start, say, summary_line
from otelkit_demo.snapshot import Observer
from otelkit_demo.stopping import Stopping
from otelkit_demo.versions import Deploys
from otelkit_stack.queries import Queries
from otelkit_stack.rules.shipped import shipped_rules

PREPARATION_SECONDS = 60.0
_TICK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What the user chose. ``ports`` holds the ports asked for, by name; ``minutes`` None means until Ctrl-C."""

    minutes: float | None = None
    load: float = 4.0
    """Requests a second; 0 sends none."""
    seed: int = 1
    data: Path | None = None
    services: tuple[Service, ...] = SERVICES
    ports: Mapping[str, int] = field(default_factory=dict)
    mystery: bool = False
    observed: bool = True
    """Whether otelkit is on in the services."""
    metrics_to: str | None = None
    """Address of another OTLP receiver for the metrics, such as Prometheus', instead of the embedded stack."""


class _StoppedEarlyError(Exception):
    """The user asked to stop before the demo was ready."""


def run(options: DemoOptions, console: Console) -> None:
    """Run the demo until its time is over or somebody stops it.

    Raises DemoError where it cannot start, and ChildDiedError where a child dies; nothing is left running then either.
    """
    wishes = [PortWish("stack", STACK_PORT, options.ports.get("stack"))]
    # Those that are not started have a port too: whoever calls them finds nobody there.
    wishes += [PortWish(service.name, service.port, options.ports.get(service.name)) for service in SERVICES]
    ports = choose_ports(*wishes)
    with demo_folder(options.data) as folder:
        family = Family(folder / "logs")
        # Signals are held until the last child has gone.
        with Stopping(again=family.hurry) as stopping:
            demo = _Demo(options, console, Run(folder, ports, observed=options.observed), family, stopping)
            try:
                with family:
                    demo.start()
                    demo.follow()
            except _StoppedEarlyError:
                pass
            finally:
                # Read after the services ended, so that what they sent last is counted.
                demo.conclude()


@dataclass(slots=True)
class _Demo:
    options: DemoOptions
    console: Console
    run: Run
    family: Family
    stopping: Stopping
    observer: Observer | None = None
    mystery: Mystery | None = None
    seconds: dict[str, tuple[str, Child]] = field(default_factory=dict)
    """Service to its second version, and the server that runs it."""

    def start(self) -> None:
        """Stack and databases at once, then the services, then the load; prints what runs where."""
        begin = time.monotonic()
        say(self.console, f"Starting the embedded stack and {', '.join(service.name for service in self.options.services)} ...")
        stack = self._start_stack()
        self._prepare()
        servers = [Server(stack, self._url("stack"), "/-/ready")]
        servers += [Server(self._serve(service), self._url(service.name), "/readyz") for service in self.options.services]
        for service in self.options.services:
            for companion in service.companions:
                self.family.start(f"{service.name}-{companion.name}", companion.run, service_environment(service, self.run), Tier.SERVICES)
        ready = wait_until_ready(servers, self._check)
        up_s = time.monotonic() - begin
        self._observe()
        self._start_load()
        self._print_start(servers, ready, up_s)

    def follow(self) -> None:
        """Show what happens until the time is over or somebody stops the demo."""
        assert self.observer is not None
        observer = self.observer
        end_s = self.options.minutes * 60 if self.options.minutes is not None else float("inf")
        deploys, flags = Deploys(deploy_file(self.run.folder)), FlagFile(flag_file(self.run.folder))
        services = {service.name for service in self.options.services}
        milestones = Milestones(observer, services, self.run.folder / "logs") if self._awaits_traces else None
        with live_view(self.console) as view:
            while not self.stopping.requested and observer.elapsed_s < end_s:
                self.family.check()
                for line in milestones.news() if milestones else ():
                    view.say(line)
                self._match(deploys.wanted(flags.shares()), view)
                if self.mystery:
                    self.mystery.play(observer.elapsed_s)
                if view.is_due(observer.elapsed_s):
                    view.show(observer.look())
                time.sleep(_TICK_SECONDS)

    def conclude(self) -> None:
        """Say what the run came to, and what was wrong in it where that was a riddle."""
        if self.mystery and self.mystery.begun:
            say(self.console, f"What was wrong:\n{key(self.options.seed, self.mystery.begun)}")
        say(self.console, summary_line(self.observer, self.run.folder))

    @property
    def _sends_load(self) -> bool:
        return self.options.load > 0 and GATEWAY in self.options.services

    @property
    def _awaits_traces(self) -> bool:
        return self._sends_load and self.options.observed

    def _url(self, name: str) -> str:
        return url(self.run.ports[name])

    def _start_stack(self) -> Child:
        rules = shipped_rules("demo")  # windows of seconds, so that a fault shows while one watches
        arguments = ("--data", str(self.run.folder), "--port", str(self.run.ports["stack"]), *(("--rules", str(rules)) if rules else ()))
        return self.family.start("stack", ("otelkit_stack", *arguments), clean_environment(), Tier.STACK)

    def _prepare(self) -> None:
        """Migrate the databases, side by side, and then what services want to be done before anybody starts."""
        self._run_to_end((service, "migrate", ("django", "migrate", "--verbosity", "0")) for service in self.options.services)
        self._run_to_end(
            (service, f"prepare-{number}", command)
            for service in self.options.services
            for number, command in enumerate(service.prepare, 1)
        )

    def _run_to_end(self, commands: Iterable[tuple[Service, str, Sequence[str]]]) -> None:
        children = [
            self.family.start(f"{service.name}-{name}", command, migration_environment(service, self.run), Tier.SERVICES, ends=True)
            for service, name, command in commands
        ]
        begin = time.monotonic()
        while any(child.process.poll() is None for child in children):
            self._check()
            if time.monotonic() - begin > PREPARATION_SECONDS:
                raise DemoError(f"The databases were not ready within {PREPARATION_SECONDS:g} s.")
            time.sleep(0.02)
        self._check()

    def _serve(self, service: Service, version: str | None = None) -> Child:
        arguments = [part.format(port=self.run.ports[service.name]) for part in service.serve]
        environment = service_environment(service, self.run, **({"version": version} if version else {}))
        if self.options.metrics_to:
            environment["OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"] = self.options.metrics_to
        return self.family.start(f"{service.name}-{version}" if version else service.name, arguments, environment, Tier.SERVICES)

    def _match(self, wanted: Mapping[str, str], view: View) -> None:
        """Start and end second versions until they are those that are wanted."""
        for name in [name for name, (version, _) in self.seconds.items() if wanted.get(name) != version]:
            version, child = self.seconds.pop(name)
            self.family.end(child)
            view.say(f"{name} {version} is taken back.")
        for service in self.options.services:
            if service.name in wanted and service.name not in self.seconds:
                version = wanted[service.name]
                self.seconds[service.name] = version, self._serve(service, version)
                view.say(f"{service.name} {version} is deployed, beside the version that runs.")

    def _observe(self) -> None:
        flags = FlagFile(flag_file(self.run.folder))
        queries = Queries(self.run.folder / "otelkit.db")
        self.observer = Observer(queries, flags, self.run.ports["stack"], secretive=self.options.mystery)
        if self.options.mystery:
            self.mystery = Mystery(self.options.seed, flags)

    def _start_load(self) -> None:
        probes = [f"{self._url(service.name)}/readyz" for service in self.options.services]
        self.family.start("probes", ("otelkit_demo.probing", *probes), clean_environment(), Tier.LOAD)
        if self._sends_load:
            target = ("--target", self._url(GATEWAY.name))
            arguments = ("otelkit_demo.load", *target, "--rate", str(self.options.load), "--seed", str(self.options.seed))
            environment = {**clean_environment(), FLAG_FILE_VARIABLE: str(flag_file(self.run.folder))}
            self.family.start("load", arguments, environment, Tier.LOAD)

    def _print_start(self, servers: Sequence[Server], ready: Mapping[str, float], up_s: float) -> None:
        taken = taken_by(child.pid for child in self.family.children)
        rows = []
        for server in servers:
            mine = [child.pid for child in self.family.children if child.service == server.child.service]
            its = sum((taken[pid] for pid in mine), NOTHING) if taken else None
            rows.append(Started(server.child.name, server.url, ready[server.child.name], its))
        start = Start(
            servers=rows,
            up_s=up_s,
            taken=sum(taken.values(), taken_by_me()) if taken else None,
            page=self._url("stack"),
            shop=self._url(GATEWAY.name) if GATEWAY in self.options.services else None,
            folder=self.run.folder,
            faults={} if self.options.mystery else FlagFile(flag_file(self.run.folder)).shares(),
        )
        print_start(self.console, start)

    def _check(self) -> None:
        if self.stopping.requested:
            raise _StoppedEarlyError
        self.family.check()
