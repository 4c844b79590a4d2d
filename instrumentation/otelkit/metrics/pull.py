"""``/metrics`` for Prometheus to scrape, rendered by prometheus-client.

    path("metrics", otelkit.metrics.pull.metrics)

Names and labels are those that the OTLP road gives, so the same boards and rules serve both. It shows the process that answers; with the
setting ``metrics.shared_folder`` (or PROMETHEUS_MULTIPROC_DIR), every worker of the service on this host, whichever answers.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from threading import Lock
from time import monotonic

from django.http import Http404, HttpRequest, HttpResponse
from prometheus_client import REGISTRY
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector, CollectorRegistry

from otelkit.config import Metrics
from otelkit.metrics import prometheus_files, user_instruments
from otelkit.metrics.access import is_admitted
from otelkit.metrics.aggregator import Aggregator, Snapshot
from otelkit.metrics.exchange import Exchange
from otelkit.metrics.families import Reported, families, resource_labels
from otelkit.metrics.port import MetricsPort
from otelkit.metrics.publisher import Publisher
from otelkit.metrics.sdk_series import snapshots_of

logger = logging.getLogger("otelkit.metrics")

FRESH_SECONDS = 1.0
"""How long a rendered page is given out again: rendering costs up to hundreds of milliseconds, which an open door must not multiply."""

_FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP")


def metrics(request: HttpRequest) -> HttpResponse:
    """Everything in prometheus-client's registry, ours and the project's own, in the format that the scraper asks for.

    Raises Http404 for strangers (see the setting ``metrics.token``), and while the kit does not serve metrics.
    """
    pull = _serving
    meta = request.META
    if pull is None or not is_admitted(
        pull.token,
        request.headers.get("Authorization", ""),
        str(meta.get("REMOTE_ADDR", "")),
        is_forwarded=any(header in meta for header in _FORWARDED),
    ):
        raise Http404
    body, content_type = pull.page(request.headers.get("Accept", ""))
    return HttpResponse(body, content_type=content_type)


class PullCollector(Collector):
    """Our aggregator as prometheus-client sees it, and through the exchange those of the other workers."""

    def __init__(self, aggregator: Aggregator, resource: Mapping[str, str | int], exchange: Exchange | None = None) -> None:
        self._aggregator = aggregator
        self.labels = resource_labels(resource)
        self.exchange = exchange

    def collect(self) -> Iterator[Family]:
        """One family per metric that has a value."""
        own = self.snapshots()
        others = self.exchange.others() if self.exchange else []
        workers: list[Reported] = [(self.labels, own), *((report.labels, report.snapshots) for report in others)]
        return families(workers, [self.labels, *(report.labels for report in others if report.is_alive)])

    def describe(self) -> Iterable[Family]:
        """Nothing: names are known to be unique, and collecting at registration would read a half-started process."""
        return []

    def snapshots(self, users: Sequence[Snapshot] | None = None) -> Sequence[Snapshot]:
        """What this worker has to tell; ``users`` are the project's own instruments, which are read where they are not given."""
        own = [*self._aggregator.collect(), *(snapshots_of(user_instruments.read()) if users is None else users)]
        return self.exchange.total(own) if self.exchange else own


class Pull:
    """The pull road of this process: what the page shows, who may see it, and where else it is served."""

    def __init__(self, config: Metrics, aggregator: Aggregator, resource: Mapping[str, str | int]) -> None:
        self.token = config.token
        self._config = config
        self._collector = PullCollector(aggregator, resource)
        self._registry = REGISTRY
        self._port = MetricsPort(config.port, self.page, config.token) if config.port else None
        self._publisher: Publisher | None = None
        self._renew()

    def _renew(self) -> None:
        self._pages: dict[str, tuple[float, bytes]] = {}
        self._rendering = Lock()

    def start(self) -> None:
        """Serves the view."""
        global _serving
        if prometheus_files.folder_of_environment():
            # prometheus-client keeps the project's metrics in files then, and its registry would show this worker's alone.
            self._registry = CollectorRegistry()
            self._registry.register(_OwnFiles())
        self._registry.register(self._collector)
        _serving = self

    def begin(self, resource: Mapping[str, str | int], slot: int | str) -> None:
        """Serves the other workers and the port, as the worker in this slot."""
        self._collector.labels = resource_labels(resource)
        if self._config.shared_folder:
            self._collector.exchange = Exchange(Path(self._config.shared_folder), str(resource["service.name"]), slot)
            self._publisher = Publisher(self._collector, self._config.interval)
            self._publisher.start()
        if self._port:
            self._port.start()

    def stop(self) -> None:
        """Serves nothing any more; what this worker counted stays with the others."""
        global _serving
        _serving = None
        if self._port:
            self._port.stop()
        if self._publisher:
            self._publisher.stop()
        if self._collector.exchange:
            self._collector.exchange.close()
        self._registry.unregister(self._collector)

    def after_fork_in_child(self) -> None:
        """Leaves the place among the workers to the parent; :meth:`begin` takes one of its own."""
        if self._port:
            self._port.abandon()
        if self._collector.exchange:
            self._collector.exchange.close()
        self._collector.exchange = self._publisher = None
        self._renew()

    def page(self, accept: str) -> tuple[bytes, str]:
        """The page in a format that ``accept`` names, and its content type; at most :data:`FRESH_SECONDS` old."""
        encode, content_type = choose_encoder(accept)
        with self._rendering:  # those who ask meanwhile wait for the one page
            rendered_at, body = self._pages.get(content_type, (-FRESH_SECONDS, b""))
            if monotonic() - rendered_at >= FRESH_SECONDS or not body:
                body = encode(self._registry)
                self._pages[content_type] = (monotonic(), body)
            return body, content_type

    def __str__(self) -> str:
        who = "every worker on this host" if self._config.shared_folder else "the process that answers"
        allowed = "with the token" if self.token else "asked for from this machine (set metrics.token for others)"
        also = f", and at http://127.0.0.1:{self._config.port}/metrics" if self._port else ""
        return f"served at the view otelkit.metrics.pull.metrics{also}, for {who}, {allowed}"


class _OwnFiles(Collector):
    """The project's own metrics out of prometheus-client's files."""

    def collect(self) -> Iterable[Family]:
        folder = prometheus_files.folder_of_environment()
        return prometheus_files.collect(folder) if folder else []


_serving: Pull | None = None
