"""The shop's processes: publishers, relays and consumers, started, killed and read."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from otelkit.testing import Received
from tests.backends import wait_until
from tests.receivers import Receiver

ROOT = Path(__file__).parents[4]
SHOP = "tests.instrumentation.patterns.events.shop"
PATIENCE = 900.0
"""Seconds that anything may take; ten thousand events on a slow machine need many."""


@dataclass
class Shop:
    """The processes of one shop. What they write ends up in files of ``folder``."""

    folder: Path
    database: dict[str, Any]
    events: dict[str, Any]
    receiver: Receiver
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _read: int = 0
    _newest: dict[tuple[Any, ...], tuple[dict[str, Any], dict[str, Any]]] = field(default_factory=dict)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """``manage.py`` with these arguments, in the background."""
        log = self.folder / f"{len(self.processes)}-{'-'.join(arguments[:2])}.log"
        with log.open("wb") as output:
            started = subprocess.Popen(
                [sys.executable, "-m", "django", *arguments], cwd=ROOT, env=self._environment(), stdout=output, stderr=output
            )
        self.processes.append(started)
        return started

    def run(self, *arguments: str) -> None:
        """The same, to its end."""
        self.finish(self.start(*arguments))

    def finish(self, process: subprocess.Popen[bytes]) -> None:
        """Waits for the end of what ends by itself."""
        assert process.wait(PATIENCE) == 0, self.words()

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        """By SIGTERM: it finishes what it is at."""
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0, self.words()

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """By SIGKILL."""
        assert process.poll() is None, self.words()
        process.kill()
        process.wait(PATIENCE)

    def words(self) -> str:
        """The end of what each process wrote, for a test that fails."""
        return "\n".join(f"--- {log.name}\n{log.read_text(errors='replace')[-1500:]}" for log in sorted(self.folder.glob("*.log")))

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        """Rows from the database, on a connection of the test's own."""
        if self.database["ENGINE"].endswith("sqlite3"):
            import sqlite3

            with sqlite3.connect(self.database["NAME"], timeout=30) as connection:
                rows = list(connection.execute(statement))
            connection.close()
            return rows
        import psycopg

        settings = self.database
        with psycopg.connect(host=settings["HOST"], user=settings["USER"], dbname=settings["NAME"]) as connection:
            cursor = connection.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []

    def number(self, statement: str) -> int:
        """One number from the database."""
        return int(self.ask(statement)[0][0])

    def wait_for(self, statement: str, least: int, what: str) -> None:
        """Until the number is at least so large."""
        wait_until(lambda: self.number(statement) >= least, PATIENCE, f"{what}\n{self.words()}", every=0.02)

    def points(self, metric: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """The newest points of a metric by process: its resource, and the point."""
        requests = self.receiver.requests[self._read :]
        self._read += len(requests)
        for path, headers, body in requests:
            # Who is killed while he sends leaves half a request.
            if path == "/v1/metrics" and len(body) == int(headers["Content-Length"]):
                self._take(gzip.decompress(body) if headers.get("Content-Encoding") == "gzip" else body)
        return [found for (name, *_), found in self._newest.items() if name == metric]

    def _take(self, body: bytes) -> None:
        resource = _resource(body)
        for name, points in Received([("metrics", body)]).metrics.items():
            for point in points:
                self._newest[name, resource["process.pid"], *sorted(point["attributes"].items())] = (resource, point)

    def counted(self, metric: str, label: str) -> Counter[str]:
        """Sums of a counter over all processes, by one label."""
        found: Counter[str] = Counter()
        for _, point in self.points(metric):
            found[point["attributes"][label]] += int(point["value"])
        return found

    def gauges(self, metric: str) -> dict[int, float]:
        """What each process said last, by its id."""
        return {resource["process.pid"]: point["value"] for resource, point in self.points(metric)}

    def _environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL", "TESTS_"))}
        return inherited | {
            "DJANGO_SETTINGS_MODULE": f"{SHOP}.settings",
            "SHOP_DATABASE": json.dumps(self.database),
            "SHOP_EVENTS": json.dumps(self.events),
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.receiver.endpoint,
            "TMPDIR": str(self.folder),
        }


def _resource(body: bytes) -> dict[str, Any]:
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

    (found,) = ExportMetricsServiceRequest.FromString(body).resource_metrics
    return {one.key: one.value.int_value or one.value.string_value for one in found.resource.attributes}


@contextmanager
def running_shop(folder: Path, database: dict[str, Any], events: dict[str, Any], receiver: Receiver) -> Iterator[Shop]:
    """A shop with its tables and queues. Ends whatever the test leaves running."""
    shop = Shop(folder, database, events, receiver)
    try:
        shop.run("migrate", "--run-syncdb", "-v", "0")
        shop.run("inbox", "declare")
        yield shop
    finally:
        for process in shop.processes:
            with suppress(ProcessLookupError):
                process.kill()
            process.wait()
