"""What a service's worker processes use."""

from __future__ import annotations

from otelkit.catalog.labels import CPYTHON_GC_GENERATION, SERVER, SERVICE_INSTANCE_ID, SERVICE_NAME
from otelkit.catalog.metrics import (
    CPYTHON_GC_COLLECTED_OBJECTS,
    CPYTHON_GC_COLLECTIONS,
    CPYTHON_GC_UNCOLLECTABLE_OBJECTS,
    HTTP_SERVER_ACTIVE_REQUESTS,
    PROCESS_CPU_TIME,
    PROCESS_MEMORY_USAGE,
    PROCESS_OPEN_FILE_DESCRIPTOR_COUNT,
    PROCESS_THREAD_COUNT,
    PROCESS_UPTIME,
    TARGET_INFO,
    WORKER_POOL_BUSY,
    WORKER_POOL_SIZE,
)
from otelkit.catalog.promql import count, minimum, rate, total
from otelkit_dashboards.boards.choices import CHOSEN
from otelkit_dashboards.model import Row
from otelkit_dashboards.panels import Query, TimeSeries, Tone, Unit

NO_PROCESSES = "No process metrics: check that the service exports metrics."

# With the service: slots are numbered per host, so two services on one host share them.
_WORKER = [SERVICE_NAME, SERVICE_INSTANCE_ID]
_SERVER = [SERVICE_NAME, SERVER]

PROCESSES = Row(
    "processes",
    "Workers",
    (
        TimeSeries(
            key="in-flight",
            title="Requests in flight",
            help="Requests that are being answered now, and the workers that answer them.",
            act="Level with the workers' threads: requests queue up, so add workers or find what makes them slow.",
            missing=NO_PROCESSES,
            unit=Unit.COUNT,
            queries=(
                Query(total(HTTP_SERVER_ACTIVE_REQUESTS, by=[SERVICE_NAME], where=CHOSEN), (SERVICE_NAME,), key="requests"),
                Query(count(TARGET_INFO, where=CHOSEN), "workers", key="workers", tone=Tone.MUTED, dashed=True),
            ),
        ),
        TimeSeries(
            key="pool",
            title="Worker pools",
            help="Requests in work at the moment of an export, by server, and how many the workers can work on at once.",
            act="In work at the bound: further requests wait in the server's backlog. Add workers or threads, or find what holds them.",
            missing="No known server: only gunicorn, uWSGI, uvicorn, hypercorn, granian and daphne say what their workers are at.",
            unit=Unit.COUNT,
            queries=(
                Query(total(WORKER_POOL_BUSY, by=_SERVER, where=CHOSEN), tuple(_SERVER), key="busy"),
                Query(
                    total(WORKER_POOL_SIZE, where=CHOSEN),
                    "at once",
                    key="size",
                    tone=Tone.WARNING,
                    dashed=True,
                    may_be_empty="the server sets no bound, like uvicorn without --limit-concurrency",
                ),
            ),
        ),
        TimeSeries(
            key="cpu",
            title="Processor",
            help="Seconds of processor time a second, by worker.",
            act="Near 1 for a worker: Python runs on one core, so add workers, or profile what they compute.",
            missing=NO_PROCESSES,
            unit=Unit.CORES,
            stacked=True,
            queries=(
                Query(
                    rate(PROCESS_CPU_TIME, by=_WORKER, where=CHOSEN),
                    tuple(_WORKER),
                ),
            ),
        ),
        TimeSeries(
            key="memory",
            title="Memory",
            help="Resident memory by worker.",
            act="Rising without end is a leak: compare with the deploys, and recycle workers until it is found.",
            missing=NO_PROCESSES,
            unit=Unit.BYTES,
            queries=(Query(total(PROCESS_MEMORY_USAGE, by=_WORKER, where=CHOSEN), tuple(_WORKER)),),
        ),
        TimeSeries(
            key="uptime",
            title="Youngest worker",
            help="Time since the newest worker of each service started.",
            act="A saw-tooth is a restart loop: read the last lines that the worker wrote, and look for out-of-memory kills.",
            missing=NO_PROCESSES,
            unit=Unit.SECONDS,
            queries=(Query(minimum(PROCESS_UPTIME, by=[SERVICE_NAME], where=CHOSEN), (SERVICE_NAME,)),),
        ),
        TimeSeries(
            key="open-files",
            title="Open files and sockets",
            help="File descriptors that each worker holds open.",
            act="Rising without end: a response, a connection or a file is never closed, and the limit of the host ends it with errors.",
            missing=NO_PROCESSES,
            unit=Unit.COUNT,
            queries=(Query(total(PROCESS_OPEN_FILE_DESCRIPTOR_COUNT, by=_WORKER, where=CHOSEN), tuple(_WORKER)),),
        ),
        TimeSeries(
            key="threads",
            title="Threads",
            help="Threads of each worker.",
            act="Rising without end: something starts threads and never ends them; look at what creates pools or timers per request.",
            missing=NO_PROCESSES,
            unit=Unit.COUNT,
            queries=(Query(total(PROCESS_THREAD_COUNT, by=_WORKER, where=CHOSEN), tuple(_WORKER)),),
        ),
        TimeSeries(
            key="gc-runs",
            title="Garbage collections",
            help="Runs of Python's garbage collector a second, by generation; a run stops every thread of its worker.",
            act="Many runs of generation 2 beside slow requests: freeze what is there after start (gc.freeze), or make fewer objects.",
            missing=NO_PROCESSES,
            unit=Unit.OPERATIONS_PER_SECOND,
            queries=(
                Query(
                    rate(CPYTHON_GC_COLLECTIONS, by=[SERVICE_NAME, CPYTHON_GC_GENERATION], where=CHOSEN),
                    (SERVICE_NAME, CPYTHON_GC_GENERATION),
                ),
            ),
        ),
        TimeSeries(
            key="gc-objects",
            title="Objects in cycles",
            help="Objects a second that only the garbage collector could free, and those that it could not.",
            act="Many: code builds reference cycles, like exceptions that are kept. Any that cannot be freed are a leak.",
            missing=NO_PROCESSES,
            unit=Unit.EVENTS_PER_SECOND,
            queries=(
                Query(rate(CPYTHON_GC_COLLECTED_OBJECTS, where=CHOSEN), "freed", key="freed"),
                Query(rate(CPYTHON_GC_UNCOLLECTABLE_OBJECTS, where=CHOSEN), "not freed", key="kept", tone=Tone.BAD),
            ),
        ),
    ),
)
