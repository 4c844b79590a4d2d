"""The real Prometheus and Alertmanager as context managers, for tests marked ``backends``.

Every server binds a free port of 127.0.0.1, keeps its data in the folder it is given and is stopped by its own pid.
A program that is not on PATH skips the test and says which one.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

import pytest
import yaml

from otelkit.catalog.labels import PROMOTED

T = TypeVar("T")
S = TypeVar("S", str, tuple[str, str])

_READY_TIMEOUT = 30.0
_STOP_TIMEOUT = 15.0


def program(name: str) -> str:
    """Path of a program. Skips the calling test where it is not installed."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not on PATH; it comes with Prometheus or Alertmanager.")
    return path


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on now."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """So many ports of 127.0.0.1, each another one, that nothing listens on now."""
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def wait_until(condition: Callable[[], T], timeout: float, message: str, *, every: float = 0.1) -> T:
    """The first truthy value of ``condition``. Raises TimeoutError with ``message`` and the last value after ``timeout`` seconds.

    A refused connection counts as "not yet", so that a server may be awaited while it starts.
    """
    deadline = time.monotonic() + timeout
    last: object = None
    while True:
        try:
            value = condition()
        except (OSError, urllib.error.URLError) as error:
            last = error
        else:
            if value:
                return value
            last = value
        if time.monotonic() > deadline:
            raise TimeoutError(f"{message} (waited {timeout:g} s; last seen: {last!r})")
        time.sleep(every)


def seen_at_last(wanted: Set[S], see: Callable[[], Set[S]], timeout: float, *, every: float = 0.1) -> None:
    """Waits until all that is wanted is seen, and tells the difference where it is not in time."""
    with suppress(TimeoutError):
        wait_until(lambda: wanted <= see(), timeout, "", every=every)
    missing = sorted(wanted - see())
    assert missing == [], f"not seen within {timeout:g} s: {missing}"


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A running Prometheus with the OTLP receiver, exemplars and our promoted resource attributes."""

    port: int

    @property
    def url(self) -> str:
        """Base address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def otlp_endpoint(self) -> str:
        """What OTEL_EXPORTER_OTLP_ENDPOINT takes; ``/v1/metrics`` comes behind it."""
        return f"{self.url}/api/v1/otlp"

    def query(self, promql: str, *, at: float | None = None) -> list[dict[str, Any]]:
        """Result of an instant query: ``[{"metric": {...}, "value": [time, "text"]}, ...]``; a scalar has no metric."""
        data = self._get("query", {"query": promql} | ({} if at is None else {"time": str(at)}))
        if data["resultType"] == "scalar":
            return [{"metric": {}, "value": data["result"]}]
        return list(data["result"])

    def query_range(self, promql: str, *, start: float, end: float, step: float) -> list[dict[str, Any]]:
        """Result of a range query: ``[{"metric": {...}, "values": [[time, "text"], ...]}, ...]``; times in Unix seconds."""
        return list(self._get("query_range", {"query": promql, "start": str(start), "end": str(end), "step": str(step)})["result"])

    def series(self, match: str) -> list[dict[str, str]]:
        """Label sets, ``__name__`` included, of the series that a selector finds."""
        return list(self._get("series", {"match[]": match}))

    def exemplars(self, promql: str) -> list[dict[str, Any]]:
        """``[{"seriesLabels": {...}, "exemplars": [{"labels": {"trace_id": ...}, "value": ..., "timestamp": ...}]}, ...]`` of this hour."""
        now = time.time()
        return list(self._get("query_exemplars", {"query": promql, "start": str(now - 3600), "end": str(now + 60)}))

    def metric_names(self) -> set[str]:
        """Every ``__name__`` that has been stored."""
        return set(self._get("label/__name__/values", {}))

    def alerts(self) -> list[dict[str, Any]]:
        """Pending and firing alerts: ``[{"labels": {...}, "annotations": {...}, "state": "firing", ...}, ...]``."""
        return list(self._get("alerts", {})["alerts"])

    def rules(self) -> list[dict[str, Any]]:
        """Every loaded rule, with ``health`` and ``lastError``, in the order of its groups."""
        return [rule for group in self._get("rules", {})["groups"] for rule in group["rules"]]

    def _get(self, path: str, params: Mapping[str, str]) -> Any:
        return _get(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(params)}")["data"]


@dataclass(frozen=True, slots=True)
class Alertmanager:
    """A running Alertmanager, and what it sent to its webhook."""

    port: int
    notifications: list[dict[str, Any]] = field(default_factory=list)
    """Payloads of the webhook in the order they came; ``status`` is ``firing`` or ``resolved``."""

    @property
    def url(self) -> str:
        """Base address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def alerts(self) -> list[dict[str, Any]]:
        """Alerts it holds now, with ``labels``, ``annotations`` and ``status``."""
        return list(_get(f"{self.url}/api/v2/alerts"))

    def notified(self, alertname: str, status: str) -> list[dict[str, Any]]:
        """Alerts of that name that the webhook was told about as ``firing`` or ``resolved``."""
        told = [alert for notification in self.notifications for alert in notification["alerts"]]
        return [alert for alert in told if alert["labels"]["alertname"] == alertname and alert["status"] == status]


@contextmanager
def running_prometheus(
    folder: Path,
    *,
    rules: Sequence[Path] = (),
    alertmanager_port: int | None = None,
    evaluation_interval: str = "1s",
    scrape: Sequence[str] = (),
    options: Sequence[str] = (),
) -> Iterator[Prometheus]:
    """A Prometheus that keeps its data in ``folder``, evaluates the rule files and scrapes the ``host:port`` targets every second.

    ``evaluation_interval`` holds for rule groups that do not name one; ``options`` join its command line.
    Raises RuntimeError with the end of its log where it does not start.
    """
    executable = program("prometheus")
    port = free_port()
    config: dict[str, Any] = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": evaluation_interval},
        "otlp": {
            "translation_strategy": "UnderscoreEscapingWithSuffixes",
            "keep_identifying_resource_attributes": True,
            "promote_resource_attributes": [label.name for label in PROMOTED],
        },
        "storage": {"tsdb": {"out_of_order_time_window": "30m"}},
        "rule_files": [str(path.resolve()) for path in rules],
    }
    if alertmanager_port is not None:
        config["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{alertmanager_port}"]}]}]}
    if scrape:
        config["scrape_configs"] = [{"job_name": "scraped", "static_configs": [{"targets": list(scrape)}]}]
    command = [
        executable,
        f"--config.file={_written(folder, 'prometheus.yml', config)}",
        f"--storage.tsdb.path={folder / 'prometheus'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.enable-otlp-receiver",
        "--enable-feature=exemplar-storage",
        *options,
    ]
    with running_program(command, folder / "prometheus.log", f"http://127.0.0.1:{port}/-/ready"):
        yield Prometheus(port)


@contextmanager
def running_alertmanager(folder: Path) -> Iterator[Alertmanager]:
    """An Alertmanager that tells a webhook at once about every alert, resolved ones included.

    Raises RuntimeError with the end of its log where it does not start.
    """
    executable = program("alertmanager")
    with _webhook() as (sink_port, notifications):
        port = free_port()
        config = {
            "route": {"receiver": "sink", "group_by": ["..."], "group_wait": "0s", "group_interval": "1s", "repeat_interval": "1h"},
            "receivers": [{"name": "sink", "webhook_configs": [{"url": f"http://127.0.0.1:{sink_port}/", "send_resolved": True}]}],
        }
        command = [
            executable,
            f"--config.file={_written(folder, 'alertmanager.yml', config)}",
            f"--storage.path={folder / 'alertmanager'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",  # no gossip: it would bind a second port, on every address
        ]
        with running_program(command, folder / "alertmanager.log", f"http://127.0.0.1:{port}/-/ready"):
            yield Alertmanager(port, notifications)


@contextmanager
def running_program(command: Sequence[str], log: Path, ready_url: str) -> Iterator[None]:
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=log.parent) as process:
        try:
            wait_until(lambda: process.poll() is not None or _is_ready(ready_url), _READY_TIMEOUT, f"{command[0]} did not become ready")
            if process.poll() is not None:
                raise RuntimeError(f"{command[0]} ended with {process.returncode}:\n{log.read_text()[-2000:]}")
            yield
        finally:
            process.terminate()
            try:
                process.wait(_STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()


@contextmanager
def _webhook() -> Iterator[tuple[int, list[dict[str, Any]]]]:
    notifications: list[dict[str, Any]] = []

    class Sink(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            notifications.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Silent: the payloads are what tests read."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Sink) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="webhook sink")
        thread.start()
        try:
            yield server.server_port, notifications
        finally:
            server.shutdown()
            thread.join()


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except urllib.error.HTTPError as error:
        error.close()  # 503 while it starts; unread, it would be an unclosed socket
        return False


def _get(url: str) -> Any:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            raise AssertionError(f"{url} answered {error.code}: {error.read().decode()}") from error


def _written(folder: Path, name: str, config: Mapping[str, Any]) -> Path:
    path = folder / name
    path.write_text(yaml.safe_dump(dict(config), sort_keys=False))
    return path
