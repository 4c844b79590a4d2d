"""The composed stack in real containers, for tests marked ``containers``.

An engine that answers is used; otherwise the tools beside the project (``../shared/tools``) start one. The same tools provide
images where no registry can be reached. Without engine and tools the test is skipped and says so.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.backends import Alertmanager, Prometheus, free_ports
from tests.compose.stack_files import COMPOSE, PROJECT, environment_file

TOOLS = PROJECT.parent / "shared" / "tools"
DEMO_IMAGE = "otelkit-demo:under-test"
LAYERS = ("--file", str(COMPOSE / "compose.yaml"), "--file", str(COMPOSE / "compose.lean.yaml"))

_BUILD_TIMEOUT = 900.0
_UP_TIMEOUT = 300.0


@dataclass(frozen=True, slots=True)
class ComposedStack:
    """The running stack without Grafana and Tempo: where its parts listen, and the environment its commands run in."""

    environment: Mapping[str, str]

    def port(self, name: str) -> int:
        """The published port of that variable of ``.env``."""
        return int(self.environment[name])

    def variable(self, name: str) -> str:
        """The value of that variable of ``.env``, which the environment may have changed."""
        return self.environment.get(name) or environment_file()[name]

    @property
    def gateway(self) -> str:
        """Address of the gateway, without a slash at the end."""
        return f"http://127.0.0.1:{self.port('GATEWAY_PORT')}"

    @property
    def loki(self) -> str:
        """Address of Loki, without a slash at the end."""
        return f"http://127.0.0.1:{self.port('LOKI_PORT')}"

    @property
    def prometheus(self) -> Prometheus:
        """The stack's Prometheus."""
        return Prometheus(self.port("PROMETHEUS_PORT"))

    @property
    def alertmanager(self) -> Alertmanager:
        """The stack's Alertmanager; it notifies nobody."""
        return Alertmanager(self.port("ALERTMANAGER_PORT"))

    def compose(self, *arguments: str, timeout: float = 180.0) -> str:
        """What ``docker compose`` prints. Raises AssertionError with its words where it fails."""
        return _output(["docker", "compose", *LAYERS, *arguments], self.environment, timeout)

    def json_lines(self, *names: str) -> list[dict[str, object]]:
        """The JSON objects that the services wrote to standard output; lines of their servers are left out."""
        lines = self.compose("logs", "--no-log-prefix", "--no-color", *names).splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]


@contextmanager
def composed_stack(**variables: str) -> Iterator[ComposedStack]:
    """The stack, built from this checkout, started and ready; taken down with its volumes afterwards.

    ``variables`` win over those of ``.env``. Ports are free ones, and rules and exports keep the pace of the demo.
    """
    _require_engine()
    stack = ComposedStack({**_environment(), **variables})
    _provide_images(stack)
    try:
        try:
            stack.compose("up", "--detach", "--wait", "--no-build", timeout=_UP_TIMEOUT)
        except (AssertionError, subprocess.TimeoutExpired) as error:
            logs = stack.compose("ps", "--all") + stack.compose("logs", "--no-color", "--tail", "25")
            raise AssertionError(f"The stack did not come up: {error}\n{logs}") from error
        yield stack
    finally:
        stack.compose("down", "--volumes", "--timeout", "5")


def _require_engine() -> None:
    if shutil.which("docker") and subprocess.run(["docker", "info"], check=False, capture_output=True, timeout=30).returncode == 0:
        return
    if not (TOOLS / "docker").exists():
        pytest.skip("No Docker engine answers, and there is no ../shared/tools/docker to start one.")
    started = subprocess.run([str(TOOLS / "docker")], check=False, capture_output=True, text=True, timeout=300)
    if started.returncode:
        pytest.skip(f"No Docker engine answers, and ../shared/tools/docker could not start one: {started.stderr.strip()}")


def _environment() -> dict[str, str]:
    names = [name for name in environment_file() if name.endswith("_PORT")]
    ports = dict(zip(names, map(str, free_ports(len(names))), strict=True))
    return {
        **os.environ,
        **ports,
        "COMPOSE_PROJECT_NAME": f"otelkit-test-{os.getpid()}",
        "DEMO_IMAGE": DEMO_IMAGE,
        "METRIC_EXPORT_INTERVAL": "2000",
        "RULES": "otelkit.demo.rules.yaml",
    }


def _provide_images(stack: ComposedStack) -> None:
    if not (TOOLS / "images").exists():
        stack.compose("build", timeout=_BUILD_TIMEOUT)
        return
    python = environment_file()["PYTHON_IMAGE"]
    named = {*stack.compose("config", "--images").split(), python} - {DEMO_IMAGE}
    try:
        _output([str(TOOLS / "images"), *sorted(named)], stack.environment, _BUILD_TIMEOUT)
    except (AssertionError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"The images of others cannot be had: {error}")
    build = ["build", "--tag", DEMO_IMAGE, "--file", str(COMPOSE / "Dockerfile"), "--build-arg", f"PYTHON_IMAGE={python}", str(PROJECT)]
    _output([str(TOOLS / "images"), *build], stack.environment, _BUILD_TIMEOUT)


def _output(command: list[str], environment: Mapping[str, str], timeout: float) -> str:
    run = subprocess.run(command, check=False, env=environment, capture_output=True, text=True, timeout=timeout)
    assert run.returncode == 0, f"{' '.join(command[:3])} ... ended with {run.returncode}:\n{run.stdout[-3000:]}{run.stderr[-3000:]}"
    return run.stdout
