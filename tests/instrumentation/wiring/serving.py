"""Real servers for a project, on a socket of the file system or a free port; ended by the signal that an operator sends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.instrumentation.wiring.project import Project

PATIENCE = 60.0


@dataclass(slots=True)
class Server:
    """A running one, and after its end what it printed."""

    process: subprocess.Popen[str]
    client: httpx.Client
    output: str = ""

    def get(self, path: str, **headers: str) -> int:
        """The status of the answer."""
        return self.client.get(path, headers=headers).status_code

    def end(self, number: int = signal.SIGTERM) -> int:
        """Its exit code."""
        self.process.send_signal(number)
        said, errors = self.process.communicate(timeout=PATIENCE)
        self.output += said + errors
        return self.process.returncode


@contextmanager
def serving(project: Project, *command: str, address: str | Path, **environment: str) -> Iterator[Server]:
    """The server of this command, once it takes connections at ``address``: the path of a socket, or ``host:port``."""
    transport = httpx.HTTPTransport(uds=str(address)) if isinstance(address, Path) else None
    base = "http://shop.test" if transport else f"http://{address}"
    with (
        subprocess.Popen(
            command,
            cwd=project.folder,
            env=project.environment(**environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process,
        httpx.Client(transport=transport, base_url=base, timeout=PATIENCE) as client,
    ):
        server = Server(process, client)
        try:
            _await_connections(server, address)
            yield server
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # the workers and reloaded children of the server too: they hold the pipes
            if process.poll() is None:
                server.output += "".join(process.communicate())


def _await_connections(server: Server, address: str | Path) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if server.process.poll() is not None:
            break
        try:
            if isinstance(address, Path):
                with socket.socket(socket.AF_UNIX) as found:
                    found.connect(str(address))
            else:
                host, _, port = address.partition(":")
                socket.create_connection((host, int(port))).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    server.process.kill()
    said, errors = server.process.communicate()
    pytest.fail(f"{server.process.args} takes no connections:\n{said}{errors}")
