"""Label names, with their allowed values where the set is closed.

Names are OpenTelemetry attribute names; :mod:`otelkit.catalog.naming` computes how Prometheus and Loki spell them.
Source: OpenTelemetry semantic conventions 1.37; names without a convention are ours and say so.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Label:
    """One dimension of a metric.

    ``values`` is the closed set of values, or empty where the set is open (and therefore capped when recorded).
    """

    name: str
    help: str
    values: tuple[str, ...] = ()


# --- of the request -------------------------------------------------------------------------------------------------
HTTP_REQUEST_METHOD = Label(
    "http.request.method",
    "HTTP method; `_OTHER` for one that no RFC knows.",
    ("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY", "_OTHER"),
)
HTTP_ROUTE = Label("http.route", "URL pattern that matched, like `/orders/{pk}`; `unmatched` where none did.")
HTTP_RESPONSE_STATUS_CODE = Label("http.response.status_code", "HTTP status of the answer.")
URL_SCHEME = Label("url.scheme", "`http` or `https`, as Django sees it.", ("http", "https"))
ERROR_TYPE = Label("error.type", "Exception class or status of a failure; absent on success.")
REQUEST_PHASE = Label(
    "phase",
    "What the time of a request went to; each second counts for one phase only. Ours.",
    ("middleware", "view", "template", "db", "outbound"),
)

# --- of a database query --------------------------------------------------------------------------------------------
DB_SYSTEM_NAME = Label("db.system.name", "Database product, like `postgresql` or `sqlite`.")
DB_NAMESPACE = Label("db.namespace", "Database name.")
DB_OPERATION_NAME = Label("db.operation.name", "First word of the statement, like `SELECT`.")
DB_COLLECTION_NAME = Label("db.collection.name", "Table that the statement names first.")
DB_QUERY_SUMMARY = Label("db.query.summary", "Operation and table of the statement, like `SELECT orders_order`.")
DB_QUERY_REPEATED_CALLER = Label(
    "db.query.repeated.caller", "Line that ran the statement again and again, like `orders/views.py:42`. Ours."
)
DB_CLIENT_CONNECTION_POOL_NAME = Label("db.client.connection.pool.name", "Alias of the database in Django's settings that the pool serves.")
DB_CLIENT_CONNECTION_STATE = Label("db.client.connection.state", "Whether the pool holds the connection or has lent it.", ("idle", "used"))

# --- of an outbound call --------------------------------------------------------------------------------------------
SERVER_ADDRESS = Label("server.address", "Host that was called.")
SERVER_PORT = Label("server.port", "Port that was called.")
SERVICE_PEER_NAME = Label("service.peer.name", "Name of the called service, where the settings map its host to one.")

# --- of a failure ---------------------------------------------------------------------------------------------------
EXCEPTION_TYPE = Label("exception.type", "Class of the exception, with its module.")
HANDLED = Label("handled", "Whether the service answered for it itself (`true`), or Django did (`false`). Ours.", ("true", "false"))

# --- of the process -------------------------------------------------------------------------------------------------
CPU_MODE = Label("cpu.mode", "Where the processor time went.", ("user", "system"))
CPYTHON_GC_GENERATION = Label("cpython.gc.generation", "Generation of Python's garbage collector; 0 is the youngest.", ("0", "1", "2"))
SERVER = Label("server", "Program that runs the application. Ours.", ("gunicorn", "uwsgi", "uvicorn", "hypercorn", "granian", "daphne"))
PYTHON_VERSION = Label("python.version", "Version of the interpreter. Ours.")
DJANGO_VERSION = Label("django.version", "Version of Django. Ours.")
OTELKIT_VERSION = Label("otelkit.version", "Version of this kit. Ours.")

# --- of our own pipeline --------------------------------------------------------------------------------------------
SIGNAL = Label("signal", "Kind of telemetry. Ours.", ("traces", "metrics", "logs"))
REASON = Label(
    "reason",
    "Why telemetry was dropped. Ours.",
    ("queue_full", "rejected", "unreachable", "too_large", "unencodable", "shutdown"),
)
METRIC = Label("metric", "Name of a metric of this catalogue. Ours.")

# --- of an objective --------------------------------------------------------------------------------------------------
SLO = Label("slo", "Objective that the series measures, by its name in `objectives`. Ours.", ("availability", "latency"))

# --- of an alert, as Prometheus writes it into its own series ---------------------------------------------------------
ALERTNAME = Label("alertname", "Name of the alerting rule. Prometheus'.")
ALERTSTATE = Label("alertstate", "Whether the alert still waits or fires. Prometheus'.", ("pending", "firing"))
SEVERITY = Label("severity", "How soon somebody must look.", ("critical", "warning", "info", "none"))

# --- of the resource: on every series, because Prometheus promotes them (see PROMOTED) -------------------------------
SERVICE_NAME = Label("service.name", "Name of the service.")
SERVICE_NAMESPACE = Label("service.namespace", "Group of services that belong together.")
SERVICE_VERSION = Label("service.version", "Version of the service.")
SERVICE_INSTANCE_ID = Label("service.instance.id", "Stable worker slot, `host:slot`.")
SERVICE_CRITICALITY = Label("service.criticality", "How much depends on the service.", ("critical", "high", "medium", "low"))
SERVICE_OWNER = Label("service.owner", "Team that owns the service. Ours.")
DEPLOYMENT_ENVIRONMENT_NAME = Label("deployment.environment.name", "Like `production` or `staging`.")
HOST_NAME = Label("host.name", "Machine or container.")

PROMOTED = (
    SERVICE_NAME,
    SERVICE_NAMESPACE,
    SERVICE_VERSION,
    SERVICE_INSTANCE_ID,
    SERVICE_CRITICALITY,
    SERVICE_OWNER,
    DEPLOYMENT_ENVIRONMENT_NAME,
    HOST_NAME,
)
"""Resource attributes that Prometheus copies onto every series (``otlp.promote_resource_attributes``)."""

UNMATCHED_ROUTE = "unmatched"
"""Value of ``http.route`` for requests that no URL pattern matched: they share one series."""

OTHER_VALUE = "_OTHER"
"""What a business metric's label says instead of a value that its declaration does not list."""

OTHER_METHOD = "_OTHER"
"""Value of ``http.request.method`` for unknown methods (semantic conventions, HTTP)."""
