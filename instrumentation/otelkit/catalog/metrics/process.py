"""The process, its interpreter and what it runs."""

from __future__ import annotations

from otelkit.catalog import labels as l
from otelkit.catalog.metrics.model import Kind, Metric

PROCESS_CPU_TIME = Metric("process.cpu.time", Kind.COUNTER, "s", "Processor time this process used.", (l.CPU_MODE,))
PROCESS_MEMORY_USAGE = Metric("process.memory.usage", Kind.UP_DOWN_COUNTER, "By", "Resident memory of this process.")
PROCESS_OPEN_FILE_DESCRIPTOR_COUNT = Metric(
    "process.open_file_descriptor.count", Kind.UP_DOWN_COUNTER, "{file_descriptor}", "Files and sockets this process holds open."
)
PROCESS_THREAD_COUNT = Metric("process.thread.count", Kind.UP_DOWN_COUNTER, "{thread}", "Threads of this process.")
PROCESS_UPTIME = Metric("process.uptime", Kind.GAUGE, "s", "Time since this process started to record.")
CPYTHON_GC_COLLECTIONS = Metric(
    "cpython.gc.collections",
    Kind.COUNTER,
    "{collection}",
    "Runs of Python's garbage collector, which stop every thread.",
    (l.CPYTHON_GC_GENERATION,),
)
CPYTHON_GC_COLLECTED_OBJECTS = Metric(
    "cpython.gc.collected_objects", Kind.COUNTER, "{object}", "Objects in cycles that the collector freed.", (l.CPYTHON_GC_GENERATION,)
)
CPYTHON_GC_UNCOLLECTABLE_OBJECTS = Metric(
    "cpython.gc.uncollectable_objects",
    Kind.COUNTER,
    "{object}",
    "Objects in cycles that the collector could not free.",
    (l.CPYTHON_GC_GENERATION,),
)
WORKER_POOL_BUSY = Metric(
    "worker.pool.busy",
    Kind.UP_DOWN_COUNTER,
    "{request}",
    "Requests in work now, in a worker of a server that is known; excluded paths are left out.",
    (l.SERVER,),
)
WORKER_POOL_SIZE = Metric(
    "worker.pool.size",
    Kind.UP_DOWN_COUNTER,
    "{request}",
    "Requests that a worker can work on at once; absent where its server sets no bound.",
    (l.SERVER,),
)
BUILD_INFO = Metric(
    "build.info",
    Kind.INFO,
    "",
    "Versions this process runs; always 1.",
    (l.SERVICE_VERSION, l.VCS_REF_HEAD_REVISION, l.PYTHON_VERSION, l.DJANGO_VERSION, l.OTELKIT_VERSION),
)
