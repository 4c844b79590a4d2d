"""A newcomer's project: copied, prepared, served by a real server, visited, and given the one line or not."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from otelkit.testing import Received
from tests.receivers import Receiver, receiver

HERE = Path(__file__).parent
LINE = '    "otelkit",\n'
PATIENCE = 60
"""Seconds that a server may take to listen, or to end; more than any machine needs."""

_RANDOM = re.compile(r'(csrftoken=|sessionid=|name="csrfmiddlewaretoken" value=")[A-Za-z0-9]+')
_TIMES = ("date", "expires", "last-modified")
"""Headers that tell the time, as cookies do."""


@dataclass(frozen=True)
class Answer:
    """What a client sees, without what is random or tells the time."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: str
    cookies: dict[str, str] = field(compare=False, default_factory=dict)


class Client:
    """Asks a server, one connection a request, and remembers the answers and cookies."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.answers: list[Answer] = []
        self._cookies: dict[str, str] = {}

    def __call__(self, method: str, path: str, body: str = "", **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if self._cookies:
            named["Cookie"] = "; ".join(f"{key}={value}" for key, value in self._cookies.items())
        connection.request(method, path, body or None, named)
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        for cookie in response.msg.get_all("Set-Cookie", []):
            key, _, value = cookie.partition(";")[0].partition("=")
            self._cookies[key] = value
        kept = [(name.lower(), _steady(name, value)) for name, value in response.getheaders() if name.lower() not in _TIMES]
        text = text.replace(str(self._port), "PORT")
        answer = Answer(response.status, tuple(kept), _RANDOM.sub(r"\1...", text), dict(self._cookies))
        self.answers.append(answer)
        return answer

    def token(self, path: str) -> str:
        """The token of a form's page."""
        self("GET", path)
        return self._cookies["csrftoken"]


def _steady(name: str, value: str) -> str:
    return re.sub(r"expires=[^;]+", "expires=...", _RANDOM.sub(r"\1...", value)) if name.lower() == "set-cookie" else value


@dataclass
class Tried:
    """What one run of a project's server gave."""

    answers: list[Answer]
    received: Received
    output: str

    @property
    def access_lines(self) -> list[dict[str, Any]]:
        """The lines of standard output with one request each."""
        lines = [json.loads(line) for line in self.output.splitlines() if line.startswith("{")]
        return [line for line in lines if line.get("event.name") == "http.request"]


@dataclass
class Project:
    """A copy of a project in a folder of its own, with a home and a place for temporary files."""

    root: Path
    server: tuple[str, ...]
    """The command, in which PORT stands for a free port."""
    settings: Path
    environ: dict[str, str]

    def manage(self, *arguments: str, **environ: str) -> None:
        """Runs ``manage.py``."""
        command = [sys.executable, "manage.py", *arguments]
        subprocess.run(command, cwd=self.root, env={**self.environ, **environ}, check=True, capture_output=True, timeout=PATIENCE)

    def add_the_line(self) -> None:
        """Writes ``"otelkit",`` as the first of INSTALLED_APPS; everything else stays."""
        text = self.settings.read_text()
        assert LINE not in text
        self.settings.write_text(text.replace("INSTALLED_APPS = [\n", f"INSTALLED_APPS = [\n{LINE}"))

    def remove_the_line(self) -> None:
        """Takes it out again."""
        self.settings.write_text(self.settings.read_text().replace(LINE, ""))

    def files(self) -> dict[str, bytes]:
        """Every file of the project, its home and its temporary folder, without the database and the lock of the worker's slot.

        That lock is an empty file in the temporary folder, for the next worker to hold.
        """
        paths = [path for path in self.root.parent.rglob("*") if f"otelkit-{os.getuid()}" not in path.parts]
        found = {path: path.read_bytes() for path in paths if path.is_file() and path.suffix != ".sqlite3"}
        folders = {f"{path.relative_to(self.root.parent)}/": b"" for path in paths if path.is_dir()}
        return {str(path.relative_to(self.root.parent)): content for path, content in found.items()} | folders

    def run(self, visit: Callable[[Client], None]) -> Tried:
        """Serves the project, visits it, and ends the server as a supervisor does, with SIGTERM."""
        with receiver() as collector, self._serving(collector) as (port, output):
            client = Client(port)
            visit(client)
        bodies = [(path.rpartition("/")[2], gzip.decompress(body)) for path, _, body in collector.requests]
        return Tried(client.answers, Received(bodies), output.read_text())

    @contextmanager
    def _serving(self, collector: Receiver) -> Iterator[tuple[int, Path]]:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = listening.getsockname()[1]
        output = self.root.parent.parent / "output.txt"
        environ = {**self.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint}  # where the operator's collector is; no setting
        command = [part.replace("PORT", str(port)) for part in self.server]
        with output.open("w") as file:
            process = subprocess.Popen(command, cwd=self.root, env=environ, stdout=file, stderr=subprocess.STDOUT)
            try:
                _wait_for(port, process, output)
                yield port, output
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(PATIENCE)


def _wait_for(port: int, process: subprocess.Popen[bytes], output: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        assert process.poll() is None, output.read_text()
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError(f"the server does not listen: {output.read_text()}")


def copy_of(name: str, package: str, server: tuple[str, ...], folder: Path) -> Project:
    """The project of this name beside this file, copied into the folder."""
    place = folder / "machine"
    root = place / "project"
    shutil.copytree(HERE / name, root, ignore=shutil.ignore_patterns("__pycache__"))
    for extra in ("home", "tmp"):
        (place / extra).mkdir()
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO", "OTEL", "PYTEST", "PYTHON", "TESTS"))}
    environ |= {"HOME": str(place / "home"), "TMPDIR": str(place / "tmp"), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"}
    return Project(root, server, root / package / "settings.py", environ)
