"""What the process says about itself: processor time, memory, uptime and versions.

Read from the operating system for the asking process, never cached: after a fork a cached reader goes on to report the parent.
"""

from __future__ import annotations

import platform
import resource
import time
from collections.abc import Iterable
from pathlib import Path

import django

import otelkit
from otelkit.catalog.metrics import BUILD_INFO, PROCESS_CPU_TIME, PROCESS_MEMORY_USAGE, PROCESS_UPTIME
from otelkit.metrics.aggregator import Aggregator, LabelValues

_PAGE_BYTES = resource.getpagesize()
_STATM = Path("/proc/self/statm")


def observe_process(aggregator: Aggregator) -> None:
    """Adds the process metrics to every collection."""
    aggregator.observe(PROCESS_CPU_TIME, _cpu_time)
    aggregator.observe(PROCESS_MEMORY_USAGE, _memory)
    aggregator.observe(PROCESS_UPTIME, lambda: [((), (time.time_ns() - aggregator.start_time_ns) / 1e9)])
    versions: LabelValues = (platform.python_version(), django.get_version(), otelkit.__version__)
    aggregator.observe(BUILD_INFO, lambda: [(versions, 1)])


def _cpu_time() -> Iterable[tuple[LabelValues, float]]:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return [(("user",), usage.ru_utime), (("system",), usage.ru_stime)]


def _memory() -> Iterable[tuple[LabelValues, float]]:
    try:
        return [((), int(_STATM.read_text().split()[1]) * _PAGE_BYTES)]
    except OSError:  # no /proc on this system: say nothing rather than something else
        return []
