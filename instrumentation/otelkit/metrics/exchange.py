"""What the workers of a service on one host know of each other's metrics: a file per slot, written every second and at the end.

Any worker can answer a scrape for all. Series carry the slot (``service.instance.id``), as over OTLP, so nothing is summed up here. A
worker that takes over a slot goes on from what its predecessor counted: a counter never falls, and recycled workers do not grow the scrape.
Of a dead worker the counters and histograms stay, its gauges go. SIGKILL loses at most what was recorded since the last writing, and what
another worker shows is at most two seconds old: a second until it is written, and one for which a page is given out again.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from otelkit.catalog.labels import Label
from otelkit.catalog.metrics import Kind, Metric
from otelkit.export.breaker import OncePerMinute
from otelkit.metrics.aggregator import OVERFLOW, Exemplar, HistogramPoint, LabelValues, NumberPoint, Snapshot
from otelkit.metrics.processes import Process

logger = logging.getLogger("otelkit.metrics")

SUFFIX = ".otelkit.json"
_KEPT = (Kind.COUNTER, Kind.HISTOGRAM)
"""What is still true when its worker is dead."""


@dataclass(frozen=True, slots=True)
class Report:
    """What one worker wrote: who it is, which server it belongs to, and its metrics."""

    process: Process
    server: Process
    """The parent: while it lives, the counts of its dead workers are part of the service's."""
    labels: dict[str, str]
    snapshots: tuple[Snapshot, ...]

    @property
    def is_alive(self) -> bool:
        """Whether the worker that wrote it still runs."""
        return self.process.is_alive()

    def kept(self) -> Report:
        """Without what ended with the worker."""
        return Report(self.process, self.server, self.labels, tuple(found for found in self.snapshots if found.metric.kind in _KEPT))


class Exchange:
    """This worker's place in the shared folder. Nothing here raises: a folder that cannot be used costs the other workers' metrics."""

    def __init__(self, folder: Path, service: str, slot: int | str) -> None:
        self._folder = folder
        self._stem = re.sub(r"[^A-Za-z0-9._-]", "_", service) or "service"
        self._may_warn = OncePerMinute()
        self._lock: IO[str] | None = None
        self._past: tuple[Snapshot, ...] = ()
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._path = self._take(slot)
            self._past = self._inherit()
        except OSError as error:
            self._path = folder / f"{self._stem}-{os.getpid()}{SUFFIX}"
            self._complain(error)

    def _take(self, slot: int | str) -> Path:
        """The file of the slot, or one of this process alone where another user's process has the same slot."""
        for name in (f"{self._stem}-{slot}", f"{self._stem}-pid{os.getpid()}"):
            lock = (self._folder / f"{name}.lock").open("w")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.close()
                continue
            self._lock = lock
            return self._folder / f"{name}{SUFFIX}"
        raise OSError(f"{self._folder} has no place for this worker")

    def _inherit(self) -> tuple[Snapshot, ...]:
        """What earlier workers of this slot counted, while their server lives; files of a server that ended are removed."""
        mine: tuple[Snapshot, ...] = ()
        for path in self._folder.glob(f"{self._stem}-*{SUFFIX}"):
            report = _read(path)
            # The place is locked by us: who wrote our file has finished, also where its process has not quite ended yet.
            if report is None or (report.is_alive and path != self._path):
                continue
            if not report.server.is_alive():
                path.unlink(missing_ok=True)
            elif path == self._path:
                mine = report.kept().snapshots
        return mine

    def total(self, snapshots: Sequence[Snapshot]) -> tuple[Snapshot, ...]:
        """This worker's metrics, and what its predecessors in the slot counted."""
        return _added(self._past, snapshots)

    def write(self, labels: Mapping[str, str], snapshots: Sequence[Snapshot]) -> None:
        """Puts this worker's metrics, as :meth:`total` gives them, where the others find them."""
        text = json.dumps(
            {
                "process": Process.this().plain(),
                "server": Process.parent().plain(),
                "labels": dict(labels),
                "metrics": [_plain(snapshot) for snapshot in snapshots],
            }
        )
        new = self._path.with_name(f".{self._path.name}")  # the place is ours alone, so the next writing clears what this one left
        try:
            new.write_text(text)
            new.replace(self._path)  # at once: a reader sees the old file or the new one
        except OSError as error:
            self._complain(error)

    def others(self) -> list[Report]:
        """What every other worker wrote last; of dead ones, only what is still true."""
        reports = (_read(path) for path in sorted(self._folder.glob(f"{self._stem}-*{SUFFIX}")) if path != self._path)
        found = [report for report in reports if report is not None]
        return [report if report.is_alive else report.kept() for report in found if report.is_alive or report.server.is_alive()]

    def close(self) -> None:
        """Lets the next worker have this slot."""
        if self._lock:
            self._lock.close()
            self._lock = None

    def _complain(self, error: OSError) -> None:
        if self._may_warn():
            logger.warning(
                "Workers cannot share their metrics in %s (%s): each /metrics shows only the worker that answers. "
                "Set metrics.shared_folder, or PROMETHEUS_MULTIPROC_DIR, to a folder that they may write in.",
                self._folder,
                error,
            )


def _read(path: Path) -> Report | None:
    """What a worker wrote, or None where there is nothing that can be read (another version of the kit, a disk that was full)."""
    try:
        plain = json.loads(path.read_text())
        snapshots = tuple(_snapshot(item) for item in plain["metrics"])
        return Report(Process(*plain["process"]), Process(*plain["server"]), dict(plain["labels"]), snapshots)
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        logger.debug("%s could not be read.", path, exc_info=True)
        return None


def _plain(snapshot: Snapshot) -> list[Any]:
    metric = snapshot.metric
    return [
        [metric.name, metric.kind.value, metric.unit, metric.help, [label.name for label in metric.labels], metric.buckets],
        [[_plain_labels(point.labels), point.value] for point in snapshot.numbers],
        [[_plain_labels(point.labels), point.counts, point.sum, point.exemplars] for point in snapshot.histograms],
    ]


def _plain_labels(labels: LabelValues) -> LabelValues | None:
    return None if labels is OVERFLOW else labels


def _labels(plain: Sequence[Any] | None, metric: Metric) -> LabelValues:
    if plain is not None and len(plain) != len(metric.labels):
        raise ValueError(f"{metric.name} has {len(metric.labels)} labels, not {len(plain)}")
    return OVERFLOW if plain is None else tuple(plain)


def _snapshot(plain: Sequence[Any]) -> Snapshot:
    (name, kind, unit, text, labels, buckets), numbers, histograms = plain
    metric = Metric(name, Kind(kind), unit, text, tuple(Label(label, "") for label in labels), tuple(buckets))
    return Snapshot(
        metric,
        tuple(NumberPoint(_labels(values, metric), value) for values, value in numbers),
        tuple(_histogram(metric, *point) for point in histograms),
    )


def _histogram(metric: Metric, labels: Sequence[Any] | None, counts: Sequence[int], total: float, exemplars: Any) -> HistogramPoint:
    if len(counts) != len(metric.buckets) + 1:
        raise ValueError(f"{metric.name} has {len(metric.buckets)} bounds, but {len(counts)} counts")
    return HistogramPoint(_labels(labels, metric), tuple(counts), total, tuple(Exemplar(*exemplar) for exemplar in exemplars))


def _identity(metric: Metric) -> tuple[object, ...]:
    """What two snapshots must share to be added: the names, not the help or the values a label may have."""
    return metric.name, metric.kind, tuple(label.name for label in metric.labels), metric.buckets


def _added(past: Sequence[Snapshot], now: Sequence[Snapshot]) -> tuple[Snapshot, ...]:
    before = {_identity(snapshot.metric): snapshot for snapshot in past}
    return (*(_sum(before.pop(_identity(snapshot.metric), None), snapshot) for snapshot in now), *before.values())


def _sum(before: Snapshot | None, now: Snapshot) -> Snapshot:
    if before is None:
        return now
    numbers = {point.labels: point.value for point in before.numbers}
    histograms = {point.labels: point for point in before.histograms}
    for number in now.numbers:
        numbers[number.labels] = numbers.get(number.labels, 0) + number.value
    for point in now.histograms:
        earlier = histograms.get(point.labels)
        if earlier is not None:
            counts = tuple(map(sum, zip(earlier.counts, point.counts, strict=True)))
            point = HistogramPoint(point.labels, counts, earlier.sum + point.sum, point.exemplars or earlier.exemplars)  # noqa: PLW2901
        histograms[point.labels] = point
    return Snapshot(now.metric, tuple(NumberPoint(*item) for item in numbers.items()), tuple(histograms.values()))
