"""What the process says about itself: processor time, memory, open files, threads, garbage collection, uptime and versions.

Read from the operating system for the asking process, never cached: after a fork a cached reader goes on to report the parent.
"""

from __future__ import annotations

import gc
import platform
import resource
import time
from collections.abc import Iterable
from pathlib import Path

import django

import otelkit
from otelkit.catalog.metrics import (
    BUILD_INFO,
    CPYTHON_GC_COLLECTED_OBJECTS,
    CPYTHON_GC_COLLECTIONS,
    CPYTHON_GC_UNCOLLECTABLE_OBJECTS,
    PROCESS_CPU_TIME,
    PROCESS_MEMORY_USAGE,
    PROCESS_OPEN_FILE_DESCRIPTOR_COUNT,
    PROCESS_THREAD_COUNT,
    PROCESS_UPTIME,
)
from otelkit.config import Service
from otelkit.metrics.aggregator import Aggregator, LabelValues

_PAGE_BYTES = resource.getpagesize()
_STATM = Path("/proc/self/statm")
_DESCRIPTORS = Path("/proc/self/fd")
_THREADS = Path("/proc/self/task")


def observe_process(aggregator: Aggregator, service: Service) -> None:
    """Adds the process metrics to every collection."""
    aggregator.observe(PROCESS_CPU_TIME, _cpu_time)
    aggregator.observe(PROCESS_MEMORY_USAGE, _memory)
    aggregator.observe(PROCESS_OPEN_FILE_DESCRIPTOR_COUNT, lambda: _entries(_DESCRIPTORS))
    aggregator.observe(PROCESS_THREAD_COUNT, lambda: _entries(_THREADS))
    aggregator.observe(CPYTHON_GC_COLLECTIONS, lambda: _collector("collections"))
    aggregator.observe(CPYTHON_GC_COLLECTED_OBJECTS, lambda: _collector("collected"))
    aggregator.observe(CPYTHON_GC_UNCOLLECTABLE_OBJECTS, lambda: _collector("uncollectable"))
    aggregator.observe(PROCESS_UPTIME, lambda: [((), (time.time_ns() - aggregator.start_time_ns) / 1e9)])
    ours = (service.version or None, service.revision or None)
    versions: LabelValues = (*ours, platform.python_version(), django.get_version(), otelkit.__version__)
    aggregator.observe(BUILD_INFO, lambda: [(versions, 1)])


def _cpu_time() -> Iterable[tuple[LabelValues, float]]:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return [(("user",), usage.ru_utime), (("system",), usage.ru_stime)]


def _memory() -> Iterable[tuple[LabelValues, float]]:
    try:
        return [((), int(_STATM.read_text().split()[1]) * _PAGE_BYTES)]
    except OSError:  # no /proc on this system: say nothing rather than something else
        return []


def _entries(folder: Path) -> Iterable[tuple[LabelValues, float]]:
    try:
        found = sum(1 for _ in folder.iterdir())
    except OSError:  # no /proc, or no descriptor left to open it with
        return []
    return [((), found - 1 if folder is _DESCRIPTORS else found)]  # listing descriptors takes one


def _collector(statistic: str) -> Iterable[tuple[LabelValues, float]]:
    return [((str(generation),), counts[statistic]) for generation, counts in enumerate(gc.get_stats())]
