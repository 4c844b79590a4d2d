"""Every setting, declared once. Those of sending are in :mod:`.export`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import Field, dataclass, field, fields
from typing import Any

from otelkit import settings_field as s
from otelkit.catalog.libraries import LIBRARY_NAMES
from otelkit.config.events import Events
from otelkit.config.export import Export
from otelkit.settings_field import setting


@dataclass(frozen=True, slots=True)
class Service:
    """Who this is: the resource that every span, metric and log line carries."""

    name: str = setting("", env="OTEL_SERVICE_NAME", help="Name of the service; found from ROOT_URLCONF when empty.")
    namespace: str = setting("", help="Group of services that belong together.")
    version: str = setting("", help="Version of the service, like a tag or a commit.")
    revision: str = setting("", help="Commit that the service was built from, for vcs.ref.head.revision.")
    environment: str = setting("", help="Deployment environment, like production or staging.")
    owner: str = setting("", help="Team that owns the service; alerts name it.")
    criticality: str = setting(
        "medium",
        help="How much depends on the service; traces of critical ones are all kept.",
        check=s.one_of("critical", "high", "medium", "low"),
    )
    attributes: dict[str, str] = setting(
        {}, env="OTEL_RESOURCE_ATTRIBUTES", help="More resource attributes; those above may be given here too."
    )


SAMPLERS = ("always_on", "always_off", "traceidratio", "parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio")


@dataclass(frozen=True, slots=True)
class Traces:
    """Spans."""

    exporters: tuple[str, ...] = setting(
        ("otlp",), env="OTEL_TRACES_EXPORTER", help="Where spans go: otlp, or nowhere.", check=s.subset_of("otlp"), parse=s.exporters
    )
    sample_ratio: float = setting(
        1.0,
        env="OTEL_TRACES_SAMPLER_ARG",
        help="Share of new traces to keep, from 0 to 1, where the sampler is one of ratio. Callers that already decided are followed.",
        check=s.between(0, 1),
    )
    sampler: str = setting(
        "parentbased_traceidratio",
        env="OTEL_TRACES_SAMPLER",
        help="How traces are chosen: all (always_on), none (always_off) or by ratio; with parentbased_ in front only new ones, because "
        "callers that already decided are followed.",
        check=s.one_of(*SAMPLERS),
    )
    propagators: tuple[str, ...] = setting(
        ("tracecontext", "baggage"),
        env="OTEL_PROPAGATORS",
        help="Formats of the headers by which a trace goes on: tracecontext, baggage, deadline (of otelkit.patterns.resilience), and those "
        "that a package of OpenTelemetry adds.",
        check=s.propagators,
        parse=s.exporters,
    )
    sdk_spans: bool = setting(
        False,
        help="Lets OpenTelemetry's SDK make the kit's own spans, which costs several times as much; the variables of its limits "
        "(OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT and the like) do so, too.",
    )

    @property
    def kept_share(self) -> float:
        """The share that the sampler keeps of the traces about which it decides."""
        return {"on": 1.0, "off": 0.0}.get(self.sampler.rpartition("_")[2], self.sample_ratio)

    @property
    def follows_callers(self) -> bool:
        """Whether that share is of new traces alone."""
        return self.sampler.startswith("parentbased_")


@dataclass(frozen=True, slots=True)
class Metrics:
    """Counters, gauges and histograms."""

    exporters: tuple[str, ...] = setting(
        ("otlp",),
        env="OTEL_METRICS_EXPORTER",
        help="How metrics leave: otlp pushes them, prometheus serves them at the view otelkit.metrics.pull.metrics.",
        check=s.subset_of("otlp", "prometheus"),
        parse=s.exporters,
    )
    interval: float = setting(
        15.0, env="OTEL_METRIC_EXPORT_INTERVAL", help="Seconds between two exports.", check=s.between(1, 3600), parse=s.milliseconds
    )
    series_cap: int = setting(
        2000, help="Label sets a metric may have in one process; further ones share one overflow series.", check=s.between(10, 100_000)
    )
    exemplars: str = setting(
        "trace_based",
        env="OTEL_METRICS_EXEMPLAR_FILTER",
        help="Which measurements name their trace: those of kept traces (trace_based) or none (always_off); always_on is trace_based for "
        "the kit's own metrics. OpenTelemetry's instruments go by the variable alone.",
        check=s.one_of("trace_based", "always_off", "always_on"),
    )
    django_prometheus: str = setting(
        "export",
        help="What becomes of django-prometheus: what it counts leaves over OTLP too, where it is installed (export); its names are "
        "recorded by otelkit itself, for boards that read them (emulate); or nothing (off).",
        check=s.one_of("export", "emulate", "off"),
    )
    strict: bool = setting(
        False, help="Raises where a business metric is given labels that it does not declare, instead of mending them; for tests."
    )
    token: str = setting(
        "",
        env="OTELKIT_METRICS_TOKEN",
        help="What a scraper of /metrics must send as a bearer token; without one, only this machine may ask.",
    )
    port: int = setting(
        0,
        env="OTELKIT_METRICS_PORT",
        help="Port of 127.0.0.1 that serves /metrics as well; 0 for none.",
        check=s.between(0, 65_535),
    )
    shared_folder: str = setting(
        "",
        env="PROMETHEUS_MULTIPROC_DIR",
        help="Folder in which workers share metrics, so that /metrics of any shows all; one per service and host.",
    )


@dataclass(frozen=True, slots=True)
class Logs:
    """Log lines."""

    exporters: tuple[str, ...] = setting(
        ("console",),
        env="OTEL_LOGS_EXPORTER",
        help="Where log lines go: console is standard output, otlp the collector.",
        check=s.subset_of("console", "otlp"),
        parse=s.exporters,
    )
    format: str = setting(
        "json", env="OTELKIT_LOGS_FORMAT", help="One JSON object a line, or text for a person.", check=s.one_of("json", "text")
    )
    level: str = setting(
        "INFO",
        env="OTELKIT_LOGS_LEVEL",
        help="Lowest level of the root logger.",
        check=s.one_of("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"),
    )
    stream: str = setting(
        "auto",
        env="OTELKIT_LOGS_STREAM",
        help="Where the console's lines are printed, if the project has no handler of its own: stdout or stderr. Auto is stderr for "
        "management commands, whose standard output is their result, and stdout for everything else.",
        check=s.one_of("auto", "stdout", "stderr"),
    )
    access: bool = setting(True, help="One line per request.")
    server_access: bool = setting(
        False, help="Keeps the access lines of the server itself (gunicorn, uvicorn, hypercorn, granian, runserver) beside those."
    )
    quiet: tuple[str, ...] = setting(
        ("httpx", "httpcore", "urllib3", "elastic_transport", "opensearch", "botocore", "azure", "kafka", "pika"),
        help="Loggers of libraries that say every call at INFO: unless the project gives them a level, only their warnings are written.",
    )
    own_level: str = setting(
        "",
        env="OTEL_LOG_LEVEL",
        help="Lowest level of what otelkit and OpenTelemetry say about themselves; the root logger's when empty.",
        check=s.optional(s.one_of("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")),
        parse=s.level,
    )


@dataclass(frozen=True, slots=True)
class Requests:
    """Inbound requests."""

    engine: str = setting(
        "otelkit",
        env="OTELKIT_REQUESTS_ENGINE",
        help="Whose instrumentation follows requests: ours, or upstream (opentelemetry-instrumentation-django, of the extra `upstream`), "
        "which has no access line, query counts, phases or async support without a thread.",
        check=s.one_of("otelkit", "upstream"),
    )
    excluded_paths: tuple[str, ...] = setting(
        ("/livez", "/readyz", "/startupz", "/healthz", "/metrics", "/static/", "/favicon.ico"),
        help="Paths without telemetry of any kind. One that ends in / covers everything below it.",
        check=s.paths,
    )
    trust_incoming: str = setting(
        "always",
        env="OTELKIT_REQUESTS_TRUST_INCOMING",
        help="Whose trace headers, request ids and queue times are believed: of everybody (always), of nobody (never), or of "
        "trusted_networks. Other callers get a trace of their own with a link to theirs; their sampling decision and baggage are dropped.",
        check=s.one_of("always", "never", "networks"),
    )
    trusted_networks: tuple[str, ...] = setting(
        ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7"),
        help='Networks of the callers, as the socket sees them, that are believed where trust_incoming is "networks".',
        check=s.networks,
    )
    client_address: str = setting(
        "off",
        help="How spans record client.address, which is personal data: off, truncated (its network), hashed (with SECRET_KEY) or full.",
        check=s.one_of("off", "truncated", "hashed", "full"),
    )
    proxies: int = setting(
        0,
        help="Own proxies in front that append to X-Forwarded-For; client.address is the entry that the first of them wrote.",
        check=s.between(0, 10),
    )
    user_id: str = setting(
        "hashed",
        help="How spans record user.id, only where the request has loaded its user anyway: off, hashed (with SECRET_KEY) or plain.",
        check=s.one_of("off", "hashed", "plain"),
    )
    request_id_header: str = setting(
        "X-Request-ID",
        help="Header whose value becomes request.id in log lines, where it is believed and looks like an id; empty reads none.",
        check=s.optional(s.header),
    )
    phases: bool = setting(
        True,
        help="Time of middleware, view, templates, serializers, queries, caches and calls, without spans; a tenth of what the kit costs.",
    )
    body_sizes: bool = setting(False, help="Sizes of request and response bodies as metrics.")
    response_headers: tuple[str, ...] = setting(
        (),
        help="Headers that tell the caller the trace's id (traceresponse, server-timing) and our name (service-name: X-Service-Name).",
        check=s.subset_of("traceresponse", "server-timing", "service-name"),
    )


@dataclass(frozen=True, slots=True)
class Database:
    """Database queries."""

    slow_query: float = setting(
        0.1, help="Seconds from which a query's span names the line of yours that ran it.", check=s.between(0, 3600)
    )
    n_plus_one: int = setting(
        5,
        help="Runs of one statement in one request that make an N+1: span, metric and access line then name the statement and the line.",
        check=s.between(2, 100_000),
    )
    migrations: bool = setting(
        True, help="Unapplied migrations as a metric; each worker reads the project's migrations once, in the background."
    )


@dataclass(frozen=True, slots=True)
class Clients:
    """Outbound calls."""

    peers: dict[str, str] = setting({}, help="Which service answers at host or host:port, for service.peer.name.")
    peer_header: str = setting(
        "X-Service-Name",
        help="Header of an answer that names the service, where peers does not; at most 100 names are believed. A service sends it with "
        "requests.response_headers. Empty reads none.",
        check=s.optional(s.header),
    )


@dataclass(frozen=True, slots=True)
class Libraries:
    """Libraries and parts of Django that are followed: each one that is installed"""

    required: tuple[str, ...] = setting(
        (),
        help="Libraries that must be followed: one that is not installed is an error of the checks. Each other one is followed where it "
        "is installed, named here or not.",
        check=s.subset_of(*LIBRARY_NAMES),
    )
    disabled: tuple[str, ...] = setting(
        (),
        env="OTELKIT_LIBRARIES_DISABLED",
        help="Libraries that are left alone, though they are installed.",
        check=s.subset_of(*LIBRARY_NAMES),
    )
    slow_step: float = setting(
        0.1,
        help="Seconds from which a step inside of a request (a call of a cache, a template, a serializer) has a span of its own; 0 gives "
        "each one, with what happens inside of it below.",
        check=s.between(0, 3600),
    )


@dataclass(frozen=True, slots=True)
class Tasks:
    """Tasks that a worker runs"""

    link_after: float = setting(
        300.0,
        help="Seconds after which a task no longer goes on with the trace that sent it, but begins one that is linked to it; what it was "
        "delayed by counts.",
        check=s.between(0, 31_536_000),
    )
    queues: bool = setting(
        True,
        help="Whether brokers (RabbitMQ, Redis, ...) and the table of django-tasks-db are asked how much waits in the queues that a "
        "process uses; in the background, every 15 seconds.",
    )


@dataclass(frozen=True, slots=True)
class Commands:
    """Management commands"""

    followed: tuple[str, ...] = setting(
        (),
        env="OTELKIT_COMMANDS_FOLLOWED",
        help="Django's own short commands that are followed as the project's are, like migrate or clearsessions. Any other one of them "
        "starts nothing, and waits for no collector.",
    )
    ignored: tuple[str, ...] = setting(
        (),
        help="Commands without a span and metrics of their own, because they run until somebody ends them; those whose name says so (a "
        "worker, a server, a shell, ...) need not stand here.",
    )


@dataclass(frozen=True, slots=True)
class Config:
    """A complete, checked configuration."""

    enabled: bool = setting(True, env="OTELKIT_ENABLED", help="Off leaves no middleware, no thread and no patched function behind.")
    service: Service = field(default_factory=Service)
    traces: Traces = field(default_factory=Traces)
    metrics: Metrics = field(default_factory=Metrics)
    logs: Logs = field(default_factory=Logs)
    export: Export = field(default_factory=Export)
    requests: Requests = field(default_factory=Requests)
    database: Database = field(default_factory=Database)
    clients: Clients = field(default_factory=Clients)
    events: Events = field(default_factory=Events)
    libraries: Libraries = field(default_factory=Libraries)
    tasks: Tasks = field(default_factory=Tasks)
    commands: Commands = field(default_factory=Commands)
    preset: str = "production"
    sources: dict[str, str] = field(default_factory=dict)
    """Where each setting that is not the preset's came from: ``traces.sample_ratio`` -> ``OTEL_TRACES_SAMPLER_ARG``."""
    ignored: dict[str, str] = field(default_factory=dict)
    """Variables of OpenTelemetry that are set and change nothing here, each with what holds instead."""


SECTIONS: dict[str, type] = {
    "service": Service,
    "traces": Traces,
    "metrics": Metrics,
    "logs": Logs,
    "export": Export,
    "requests": Requests,
    "database": Database,
    "clients": Clients,
    "events": Events,
    "libraries": Libraries,
    "tasks": Tasks,
    "commands": Commands,
}


def declared() -> Iterator[tuple[str, str, Field[Any]]]:
    """Every setting as (section, name, field), in the order of this file; the section of a top-level one is empty."""
    for item in fields(Config):
        if "setting" in item.metadata:
            yield "", item.name, item
        elif item.name in SECTIONS:
            for inner in fields(SECTIONS[item.name]):
                yield item.name, inner.name, inner
