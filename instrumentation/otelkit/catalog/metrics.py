"""Every metric: name, kind, unit, help and labels, once.

Recording, drawing and alerting start from these objects. To add one, write it here and put it into ``METRICS``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from otelkit.catalog import labels as l
from otelkit.catalog.labels import Label


class Kind(Enum):
    """OpenTelemetry instrument kinds, and the two that only exist as series."""

    COUNTER = "counter"
    UP_DOWN_COUNTER = "up_down_counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    INFO = "info"
    """A gauge that is always 1 and speaks by its labels."""


SECONDS_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Upper bounds in seconds that the semantic conventions advise for HTTP durations."""

BYTES_BUCKETS = (256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262144.0, 1048576.0, 4194304.0, 16777216.0)
"""Upper bounds for sizes of bodies, a factor of four apart, up to 16 MiB. The semantic conventions advise none."""

COUNT_BUCKETS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0)
"""Upper bounds for counts per request."""

DEFAULT_SERIES_CAP = 2000
"""Label sets a metric may have in one process before further ones share the overflow series (OpenTelemetry's default)."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of the catalogue.

    ``unit`` is UCUM (``s``, ``By``, ``{query}``); ``buckets`` are upper bounds in that unit, for histograms only.
    Raises ValueError for a combination that Prometheus and OpenTelemetry would spell differently.
    """

    name: str
    kind: Kind
    unit: str
    help: str
    labels: tuple[Label, ...] = ()
    buckets: tuple[float, ...] = ()
    series_cap: int = DEFAULT_SERIES_CAP

    def __post_init__(self) -> None:
        if (self.kind is Kind.HISTOGRAM) != bool(self.buckets):
            raise ValueError(f"{self.name}: buckets belong to histograms, and every histogram has them.")
        if self.unit == "1":
            # The OTLP translation appends `_ratio`, Python's exporter does not: one name, two spellings.
            raise ValueError(f'{self.name}: unit "1" is spelled differently on the two roads to Prometheus; use an {{annotation}}.')
        if list(self.buckets) != sorted(set(self.buckets)):
            raise ValueError(f"{self.name}: buckets must rise; they are {self.buckets}.")


HTTP_SERVER_REQUEST_DURATION = Metric(
    "http.server.request.duration",
    Kind.HISTOGRAM,
    "s",
    "Time to answer one request, middleware and streamed body included.",
    (l.HTTP_REQUEST_METHOD, l.HTTP_ROUTE, l.HTTP_RESPONSE_STATUS_CODE, l.URL_SCHEME, l.ERROR_TYPE),
    SECONDS_BUCKETS,
)
HTTP_SERVER_ACTIVE_REQUESTS = Metric(
    "http.server.active_requests",
    Kind.UP_DOWN_COUNTER,
    "{request}",
    "Requests that are being answered now.",
    (l.HTTP_REQUEST_METHOD, l.URL_SCHEME),
)
HTTP_SERVER_REQUEST_BODY_SIZE = Metric(
    "http.server.request.body.size",
    Kind.HISTOGRAM,
    "By",
    "Size of the request's body, where its header tells. Opt-in: `requests.body_sizes`.",
    (l.HTTP_REQUEST_METHOD, l.HTTP_ROUTE, l.URL_SCHEME),
    BYTES_BUCKETS,
)
HTTP_SERVER_RESPONSE_BODY_SIZE = Metric(
    "http.server.response.body.size",
    Kind.HISTOGRAM,
    "By",
    "Size of the response's body, streamed ones included. Opt-in: `requests.body_sizes`.",
    (l.HTTP_REQUEST_METHOD, l.HTTP_ROUTE, l.URL_SCHEME),
    BYTES_BUCKETS,
)
HTTP_SERVER_REQUEST_QUEUE_DURATION = Metric(
    "http.server.request.queue.duration",
    Kind.HISTOGRAM,
    "s",
    "Time between the proxy that took a request and us, where the proxy sends X-Request-Start or X-Queue-Start.",
    (),
    SECONDS_BUCKETS,
)
DJANGO_REQUEST_PHASE_DURATION = Metric(
    "django.request.phase.duration",
    Kind.HISTOGRAM,
    "s",
    "Time of one request by phase; the phases of a request add up to its duration, apart from waiting while a body is streamed.",
    (l.HTTP_ROUTE, l.REQUEST_PHASE),
    SECONDS_BUCKETS,
)
DJANGO_REQUEST_DB_QUERIES = Metric(
    "django.request.db.queries",
    Kind.HISTOGRAM,
    "{query}",
    "Database queries that one request made.",
    (l.HTTP_ROUTE,),
    COUNT_BUCKETS,
)
DJANGO_REQUEST_DB_DUPLICATES = Metric(
    "django.request.db.duplicates",
    Kind.HISTOGRAM,
    "{query}",
    "Queries of one request whose statement ran more than once in it, first runs included: 1 + N queries give N. The mark of N+1.",
    (l.HTTP_ROUTE,),
    COUNT_BUCKETS,
)
DJANGO_REQUEST_DB_N_PLUS_ONE = Metric(
    "django.request.db.n_plus_one",
    Kind.COUNTER,
    "{query}",
    "Queries of statements that one request ran so often that it is an N+1 (setting `database.n_plus_one`), by statement and line.",
    (l.HTTP_ROUTE, l.DB_QUERY_SUMMARY, l.DB_QUERY_REPEATED_CALLER),
    series_cap=200,  # lines move with each deploy; a service with more N+1 than this has no need of the list's end
)
DB_CLIENT_OPERATION_DURATION = Metric(
    "db.client.operation.duration",
    Kind.HISTOGRAM,
    "s",
    "Time of one database query.",
    (l.DB_SYSTEM_NAME, l.DB_NAMESPACE, l.DB_OPERATION_NAME, l.DB_COLLECTION_NAME, l.ERROR_TYPE),
    (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0),
)
DB_CLIENT_CONNECTION_COUNT = Metric(
    "db.client.connection.count",
    Kind.UP_DOWN_COUNTER,
    "{connection}",
    "Connections of the pool, by state.",
    (l.DB_CLIENT_CONNECTION_POOL_NAME, l.DB_CLIENT_CONNECTION_STATE),
)
DB_CLIENT_CONNECTION_MAX = Metric(
    "db.client.connection.max",
    Kind.UP_DOWN_COUNTER,
    "{connection}",
    "Connections that the pool may open.",
    (l.DB_CLIENT_CONNECTION_POOL_NAME,),
)
DB_CLIENT_CONNECTION_TIMEOUTS = Metric(
    "db.client.connection.timeouts",
    Kind.COUNTER,
    "{timeout}",
    "Times that nobody got a connection from the pool, because none came free in time or too many waited.",
    (l.DB_CLIENT_CONNECTION_POOL_NAME,),
)
DB_CLIENT_CONNECTION_WAIT_TIME = Metric(
    "db.client.connection.wait_time",
    Kind.HISTOGRAM,
    "s",
    "Time to get a connection from the pool.",
    (l.DB_CLIENT_CONNECTION_POOL_NAME,),
    (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0),
)
HTTP_CLIENT_REQUEST_DURATION = Metric(
    "http.client.request.duration",
    Kind.HISTOGRAM,
    "s",
    "Time of one outbound HTTP call.",
    (l.HTTP_REQUEST_METHOD, l.SERVER_ADDRESS, l.SERVER_PORT, l.HTTP_RESPONSE_STATUS_CODE, l.ERROR_TYPE, l.SERVICE_PEER_NAME),
    SECONDS_BUCKETS,
)
ERRORS_CAPTURED = Metric(
    "errors.captured",
    Kind.COUNTER,
    "{error}",
    "Exceptions that a request raised.",
    (l.EXCEPTION_TYPE, l.HTTP_ROUTE, l.HANDLED),
)
PROCESS_CPU_TIME = Metric("process.cpu.time", Kind.COUNTER, "s", "Processor time this process used.", (l.CPU_MODE,))
PROCESS_MEMORY_USAGE = Metric("process.memory.usage", Kind.UP_DOWN_COUNTER, "By", "Resident memory of this process.")
PROCESS_OPEN_FILE_DESCRIPTOR_COUNT = Metric(
    "process.open_file_descriptor.count", Kind.UP_DOWN_COUNTER, "{file_descriptor}", "Files and sockets this process holds open."
)
PROCESS_THREAD_COUNT = Metric("process.thread.count", Kind.UP_DOWN_COUNTER, "{thread}", "Threads of this process.")
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
PROCESS_UPTIME = Metric("process.uptime", Kind.GAUGE, "s", "Time since this process started to record.")
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
    (l.PYTHON_VERSION, l.DJANGO_VERSION, l.OTELKIT_VERSION),
)
TELEMETRY_CREATED = Metric("otelkit.telemetry.created", Kind.COUNTER, "{item}", "Spans, log lines and metric points made.", (l.SIGNAL,))
TELEMETRY_EXPORTED = Metric(
    "otelkit.telemetry.exported", Kind.COUNTER, "{item}", "Spans, log lines and metric points a receiver took.", (l.SIGNAL,)
)
TELEMETRY_DROPPED = Metric(
    "otelkit.telemetry.dropped",
    Kind.COUNTER,
    "{item}",
    "Spans, log lines and metric points that were given up, by reason.",
    (l.SIGNAL, l.REASON),
)
TELEMETRY_QUEUED = Metric(
    "otelkit.telemetry.queued", Kind.UP_DOWN_COUNTER, "{item}", "Spans, log lines and metric points that wait to be sent.", (l.SIGNAL,)
)
EXPORT_DURATION = Metric(
    "otelkit.export.duration",
    Kind.HISTOGRAM,
    "s",
    "Time of one export, until the receiver answered.",
    (l.SIGNAL, l.ERROR_TYPE),
    SECONDS_BUCKETS,
)
SERIES_OVERFLOWED = Metric(
    "otelkit.series.overflowed",
    Kind.COUNTER,
    "{measurement}",
    "Measurements that went to a metric's overflow series, because the metric has too many label values.",
    (l.METRIC,),
)

METRICS: tuple[Metric, ...] = (
    HTTP_SERVER_REQUEST_DURATION,
    HTTP_SERVER_ACTIVE_REQUESTS,
    HTTP_SERVER_REQUEST_BODY_SIZE,
    HTTP_SERVER_RESPONSE_BODY_SIZE,
    HTTP_SERVER_REQUEST_QUEUE_DURATION,
    DJANGO_REQUEST_PHASE_DURATION,
    DJANGO_REQUEST_DB_QUERIES,
    DJANGO_REQUEST_DB_DUPLICATES,
    DJANGO_REQUEST_DB_N_PLUS_ONE,
    DB_CLIENT_OPERATION_DURATION,
    DB_CLIENT_CONNECTION_COUNT,
    DB_CLIENT_CONNECTION_MAX,
    DB_CLIENT_CONNECTION_TIMEOUTS,
    DB_CLIENT_CONNECTION_WAIT_TIME,
    HTTP_CLIENT_REQUEST_DURATION,
    ERRORS_CAPTURED,
    PROCESS_CPU_TIME,
    PROCESS_MEMORY_USAGE,
    PROCESS_OPEN_FILE_DESCRIPTOR_COUNT,
    PROCESS_THREAD_COUNT,
    CPYTHON_GC_COLLECTIONS,
    CPYTHON_GC_COLLECTED_OBJECTS,
    CPYTHON_GC_UNCOLLECTABLE_OBJECTS,
    PROCESS_UPTIME,
    WORKER_POOL_BUSY,
    WORKER_POOL_SIZE,
    BUILD_INFO,
    TELEMETRY_CREATED,
    TELEMETRY_EXPORTED,
    TELEMETRY_DROPPED,
    TELEMETRY_QUEUED,
    EXPORT_DURATION,
    SERIES_OVERFLOWED,
)
"""Every metric that a service with otelkit emits."""

TARGET_INFO = Metric(
    "target",
    Kind.INFO,
    "",
    "One series per worker, made by Prometheus from the resource of whatever it receives over OTLP.",
)
"""Not emitted by us, but there for every service: what boards and rules use to see who is alive."""

ALERTS = Metric(
    "ALERTS",
    Kind.GAUGE,
    "",
    "One series per alert that waits or fires, made by Prometheus from the alerting rules it evaluates.",
    (l.ALERTNAME, l.ALERTSTATE, l.SEVERITY),
)
"""Not emitted by us either: what boards use to say which alerts fire."""
