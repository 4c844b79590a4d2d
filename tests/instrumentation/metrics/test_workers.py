"""``/metrics`` of a real gunicorn with three workers: any of them answers for all, whatever happens to one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families as parse_text
from prometheus_client.samples import Sample

from tests.backends import free_port, wait_until

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="the test finds the workers in /proc")

APPLICATION = """
    import os
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    from prometheus_client import Counter, Gauge
    from otelkit import metrics
    SALES = metrics.counter("business.sales", unit="{sale}", help="Sales.", labels={"channel": ("web", "app")})
    THEIRS = Counter("theirs", "A metric of the project's own.")
    LIVE = Gauge("theirs_live", "A gauge of the project's own.", multiprocess_mode="liveall")

    import django
    django.setup()
    from otelkit import startup
    startup.start()
    from django.core.wsgi import get_wsgi_application
    answer = get_wsgi_application()

    def application(environ, start_response):
        if environ["PATH_INFO"].startswith("/items/"):
            SALES.add(1, channel="web")
            THEIRS.inc()
            LIVE.set(1)
        return answer(environ, start_response)
"""
ROUTE = {"http_route": "/items/{pk}"}


@dataclass(frozen=True)
class Gunicorn:
    """A running gunicorn, and where it listens."""

    master: int
    port: int

    @property
    def workers(self) -> set[int]:
        """Process ids of the workers that run now."""
        return {int(pid) for pid in Path(f"/proc/{self.master}/task/{self.master}/children").read_text().split()}

    def work(self, times: int) -> None:
        """So many requests, eight at a time."""
        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(self._ask, range(times))) == {b"ok"}

    def _ask(self, number: int) -> bytes:
        # A worker that is recycled closes its socket; the request was not taken, and goes to another one.
        return wait_until(lambda: self._get(f"/items/{number}"), 30, "no worker answers")

    def _get(self, path: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return bytes(answer.read())

    def scrape(self) -> list[Sample]:
        """Every sample that a worker, whichever it is, shows."""
        return [sample for family in parse_text(self._get("/metrics").decode()) for sample in family.samples]

    def total(self, series: str, **labels: str) -> float:
        """The sum over all workers."""
        return sum(sample.value for sample in self.scrape() if sample.name == series and labels.items() <= sample.labels.items())

    def pids_of(self, series: str) -> set[str]:
        """Process ids in the labels of a gauge that prometheus-client keeps per process."""
        return {sample.labels["pid"] for sample in self.scrape() if sample.name == series}

    def replace_workers(self) -> None:
        """Ends every worker by SIGTERM, and waits for as many new ones."""
        before = self.workers

        def are_replaced() -> bool:
            for worker in self.workers & before:  # again: one that was forked just now does not listen yet
                with suppress(ProcessLookupError):
                    os.kill(worker, signal.SIGTERM)
            return len(self.workers) == len(before) and self.workers.isdisjoint(before)

        wait_until(are_replaced, 30, "no new workers came", every=0.2)

    def settles(self, condition: Callable[[], object], message: str) -> None:
        """Waits for what the workers write once a second."""
        wait_until(condition, 30, message)


@pytest.fixture
def gunicorn(tmp_path: Path) -> Iterator[Callable[..., Gunicorn]]:
    """Starts gunicorn with three workers and further arguments; stops it by its process id at the end."""
    running: list[subprocess.Popen[bytes]] = []
    shared = tmp_path / "shared"
    shared.mkdir()
    (tmp_path / "shop.py").write_text(textwrap.dedent(APPLICATION))

    def start(*arguments: str) -> Gunicorn:
        port = free_port()
        environment = os.environ | {
            "OTEL_METRICS_EXPORTER": "prometheus",
            "OTEL_TRACES_EXPORTER": "none",
            "OTEL_SERVICE_NAME": "shop",
            "PROMETHEUS_MULTIPROC_DIR": str(shared),
            "TMPDIR": str(tmp_path),  # the slots' locks: other tests have workers too
            "PYTHONPATH": os.pathsep.join([str(tmp_path), str(Path.cwd()), os.environ.get("PYTHONPATH", "")]),
        }
        command = [sys.executable, "-m", "gunicorn", "shop:application", "-w", "3", "-b", f"127.0.0.1:{port}", *arguments]
        with (tmp_path / "gunicorn.log").open("wb") as log:
            process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=log)
        running.append(process)
        server = Gunicorn(process.pid, port)
        wait_until(server.scrape, 60, "gunicorn does not answer")
        return server

    yield start
    for process in running:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.mark.parametrize("arguments", [(), ("--preload",), ("--threads", "2")], ids=["sync", "preload", "gthread"])
def test_any_worker_shows_all_of_them(gunicorn, arguments):
    """B7: sums are right, and nothing is inherited by the fork."""
    server = gunicorn(*arguments)
    server.work(120)
    server.settles(lambda: server.total("http_server_request_duration_seconds_count", **ROUTE) == 120, "the sum is not 120")
    server.settles(lambda: server.total("business_sales_total", channel="web") == 120, "the sum is not 120")
    server.settles(lambda: server.total("theirs_total") == 120, "the project's own prometheus-client metrics are not summed")
    server.settles(lambda: server.total("target_info") == 3, "not every worker is there, or the master is")
    assert {sample.labels["service_name"] for sample in server.scrape() if sample.name == "target_info"} == {"shop"}


def written(folder: Path, metric: str) -> float:
    """What the workers have put down of a counter, or of a histogram's count."""
    found = 0.0
    for path in folder.glob("*.otelkit.json"):
        for (name, *_), numbers, histograms in json.loads(path.read_text())["metrics"]:
            if name == metric:
                found += sum(value for _, value in numbers) + sum(sum(counts) for _, counts, *_ in histograms)
    return found


def test_of_a_killed_worker_the_counts_stay_and_the_gauges_go(gunicorn, tmp_path):
    """B3's bound for SIGKILL: what was written stays."""
    server = gunicorn()
    server.work(60)
    # Not by a scrape: who answers it tells what it has not written yet.
    server.settles(lambda: written(tmp_path / "shared", "business.sales") == 60, "60 are not written")
    server.settles(lambda: written(tmp_path / "shared", "http.server.request.duration") == 60, "60 are not written")
    server.settles(lambda: server.total("target_info") == 3, "not every worker is there")
    killed = next(pid for pid in server.workers if str(pid) in server.pids_of("theirs_live"))
    os.kill(killed, signal.SIGKILL)
    server.settles(lambda: len(server.workers) == 3 and killed not in server.workers, "no new worker came")
    server.settles(lambda: server.total("target_info") == 3, "the gauges are not those of three workers")
    server.settles(lambda: str(killed) not in server.pids_of("theirs_live"), "the dead worker's live gauge stays")
    server.settles(lambda: server.total("business_sales_total") == 60, "the sum is not 60 any more")
    server.settles(lambda: server.total("http_server_request_duration_seconds_count", **ROUTE) == 60, "the sum is not 60 any more")
    assert server.total("theirs_total") == 60
    server.work(30)
    server.settles(lambda: server.total("business_sales_total") == 90, "the sum is not 90")
    server.settles(lambda: server.total("theirs_total") == 90, "the sum is not 90")


def test_twenty_recycled_workers_do_not_grow_the_scrape(gunicorn, tmp_path):
    """facts/reliability: prometheus-client's own mode goes from 9 to 108 ms after forty."""
    server = gunicorn("--preload")  # so that a new worker is there at once
    rounds, asked = 7, 0
    for _ in range(rounds):
        server.work(10)
        asked += 10
        server.replace_workers()
    server.settles(lambda: server.total("business_sales_total") == asked, f"the sum is not {asked}")
    server.settles(lambda: server.total("theirs_total") == asked, f"the sum is not {asked}")
    instances = {sample.labels["service_instance_id"] for sample in server.scrape() if "service_instance_id" in sample.labels}
    assert len(instances) <= 7, "a new worker takes the slot that one before it left"
    shared = tmp_path / "shared"
    assert len(list(shared.glob("*.json"))) == len(instances)
    counters = [path.name for path in shared.glob("counter_*.db")]
    assert len(counters) <= 7, "files of dead workers are folded into one"
    assert "counter_0.db" in counters
