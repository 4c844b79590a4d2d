"""Every setting, declared once, and how a configuration is put together: preset < ``OTELKIT`` < environment variables."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import Field, dataclass, field, fields, replace
from difflib import get_close_matches
from typing import Any

from otelkit import settings_field as s
from otelkit.errors import ConfigError
from otelkit.redaction import REDACTED, redact_text
from otelkit.settings_field import setting


@dataclass(frozen=True, slots=True)
class Service:
    """Who this is: the resource that every span, metric and log line carries."""

    name: str = setting("", env="OTEL_SERVICE_NAME", help="Name of the service; found from ROOT_URLCONF when empty.")
    namespace: str = setting("", help="Group of services that belong together.")
    version: str = setting("", help="Version of the service, like a tag or a commit.")
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


@dataclass(frozen=True, slots=True)
class Traces:
    """Spans."""

    exporters: tuple[str, ...] = setting(
        ("otlp",), env="OTEL_TRACES_EXPORTER", help="Where spans go: otlp, or nowhere.", check=s.subset_of("otlp"), parse=s.exporters
    )
    sample_ratio: float = setting(
        1.0,
        env="OTEL_TRACES_SAMPLER_ARG",
        help="Share of new traces to keep, from 0 to 1. Callers that already decided are followed.",
        check=s.between(0, 1),
    )


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
    access: bool = setting(True, help="One line per request.")


@dataclass(frozen=True, slots=True)
class Export:
    """How telemetry is sent over OTLP/HTTP."""

    endpoint: str = setting(
        "http://127.0.0.1:4318",
        env="OTEL_EXPORTER_OTLP_ENDPOINT",
        help="Address of the collector; /v1/traces, /v1/metrics and /v1/logs are added. HTTP_PROXY and NO_PROXY hold for other machines.",
        check=s.http_url,
    )
    traces_endpoint: str = setting(
        "", env="OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", help="Whole address for traces, if another.", check=s.optional(s.http_url)
    )
    metrics_endpoint: str = setting(
        "", env="OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", help="Whole address for metrics, if another.", check=s.optional(s.http_url)
    )
    logs_endpoint: str = setting(
        "", env="OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", help="Whole address for log lines, if another.", check=s.optional(s.http_url)
    )
    headers: dict[str, str] = setting({}, env="OTEL_EXPORTER_OTLP_HEADERS", help="Headers of each export, for example a token.")
    certificate: str = setting(
        "",
        env="OTEL_EXPORTER_OTLP_CERTIFICATE",
        help="File (PEM) of the authorities that may have signed the collector's certificate; the system's when empty.",
        check=s.optional(s.readable_file),
    )
    compression: str = setting(
        "gzip", env="OTEL_EXPORTER_OTLP_COMPRESSION", help="gzip is twelve times smaller for 1 ms a batch.", check=s.one_of("gzip", "none")
    )
    timeout: float = setting(
        5.0,
        env="OTEL_EXPORTER_OTLP_TIMEOUT",
        help="Seconds that one export may take in all.",
        check=s.between(0.1, 60),
        parse=s.milliseconds,
    )
    interval: float = setting(
        1.0,
        env="OTEL_BSP_SCHEDULE_DELAY",
        help="Seconds that spans and log lines wait at most for a full batch; a process that is killed (SIGKILL) loses no older ones.",
        check=s.between(0.05, 60),
        parse=s.milliseconds,
    )
    batch_size: int = setting(
        512,
        env="OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
        help="Spans or log lines in one export; with few the export thread, which waits its turn each time, falls behind a busy process.",
        check=s.between(1, 4096),
    )
    queue_size: int = setting(
        8192,
        env="OTEL_BSP_MAX_QUEUE_SIZE",
        help="Spans, and as many log lines, that may wait; the oldest is dropped, and counted.",
        check=s.between(1, 1_000_000),
    )
    queue_bytes: int = setting(
        67_108_864,
        help="Bytes of memory that waiting spans, and as many that log lines, may take, whatever their number; then as with queue_size.",
        check=s.between(1_000_000, 10_000_000_000),
    )
    shutdown_timeout: float = setting(3.0, help="Seconds that leaving may take to send what is queued.", check=s.between(0, 60))

    def address(self, signal: str) -> str:
        """Where ``signal`` is posted: its own address as it is, or the endpoint's with ``/v1/<signal>`` (OTLP/HTTP)."""
        own: str = getattr(self, f"{signal}_endpoint")
        return own or f"{self.endpoint.rstrip('/')}/v1/{signal}"


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
        True, help="Time of middleware, view, templates, queries and outbound calls, without spans; about a tenth of what the kit costs."
    )
    body_sizes: bool = setting(False, help="Sizes of request and response bodies as metrics.")
    response_headers: tuple[str, ...] = setting(
        (),
        help="Headers that tell the caller the trace's id: traceresponse, server-timing.",
        check=s.subset_of("traceresponse", "server-timing"),
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


@dataclass(frozen=True, slots=True)
class Clients:
    """Outbound calls."""

    libraries: tuple[str, ...] = setting(
        ("httpx", "requests"), help="Libraries whose calls are traced, where they are installed.", check=s.subset_of("httpx", "requests")
    )
    peers: dict[str, str] = setting({}, help="Which service answers at host or host:port, for service.peer.name.")


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
    preset: str = "production"
    sources: dict[str, str] = field(default_factory=dict)
    """Where each setting that is not the preset's came from: ``traces.sample_ratio`` -> ``OTEL_TRACES_SAMPLER_ARG``."""


SECTIONS: dict[str, type] = {
    "service": Service,
    "traces": Traces,
    "metrics": Metrics,
    "logs": Logs,
    "export": Export,
    "requests": Requests,
    "database": Database,
    "clients": Clients,
}


def declared() -> Iterator[tuple[str, str, Field[Any]]]:
    """Every setting as (section, name, field), in the order of this file; the section of a top-level one is empty."""
    for item in fields(Config):
        if "setting" in item.metadata:
            yield "", item.name, item
        elif item.name in SECTIONS:
            for inner in fields(SECTIONS[item.name]):
                yield item.name, inner.name, inner


def load(settings: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None, *, debug: bool = False) -> Config:
    """The configuration that settings and environment ask for. Raises ConfigError with every problem in one message.

    ``debug`` chooses between the presets ``development`` and ``production`` where nothing else does.
    """
    from otelkit.presets import PRESETS  # presets are values of Config, so they import this module

    settings = settings if settings is not None else {}
    environ = os.environ if environ is None else environ
    if not isinstance(settings, Mapping):
        raise ConfigError([f"OTELKIT must be a dictionary; it is {settings!r}."])
    problems: list[str] = []
    preset = environ.get("OTELKIT_PRESET") or settings.get("preset") or ("development" if debug else "production")
    if not isinstance(preset, str) or preset not in PRESETS:
        origin = "OTELKIT_PRESET" if environ.get("OTELKIT_PRESET") else 'OTELKIT["preset"]'
        problems.append(f"{origin} must be one of {', '.join(PRESETS)}; it is {preset!r}.{_suggest(str(preset), PRESETS)}")
        preset = "production"
    values: dict[str, dict[str, Any]] = {}
    sources: dict[str, str] = {}
    _from_settings(settings, values, sources, problems)
    _from_environment(environ, values, sources, problems)
    if problems:
        raise ConfigError(problems)
    config = PRESETS[preset]
    sections = {section: replace(getattr(config, section), **changes) for section, changes in values.items() if section}
    return replace(config, preset=preset, sources=sources, **values.get("", {}), **sections)


def _from_settings(settings: Mapping[str, Any], values: dict[str, dict[str, Any]], sources: dict[str, str], problems: list[str]) -> None:
    known = {"preset", *(name for section, name, _ in declared() if not section), *SECTIONS}
    for key, value in settings.items():
        if key not in known:
            problems.append(f'OTELKIT["{key}"] is not a setting.{_suggest(key, known)}')
        elif key in SECTIONS:
            if isinstance(value, Mapping):
                _section_from_settings(key, value, values, sources, problems)
            else:
                problems.append(f'OTELKIT["{key}"] must be a dictionary; it is {value!r}.')
        elif key != "preset":
            _take("", key, value, f'OTELKIT["{key}"]', values, sources, problems)


def _section_from_settings(
    section: str, given: Mapping[str, Any], values: dict[str, dict[str, Any]], sources: dict[str, str], problems: list[str]
) -> None:
    known = [name for owner, name, _ in declared() if owner == section]
    for key, value in given.items():
        where = f'OTELKIT["{section}"]["{key}"]'
        if key in known:
            _take(section, key, value, where, values, sources, problems)
        else:
            problems.append(f"{where} is not a setting.{_suggest(key, known)}")


def _take(
    section: str,
    name: str,
    value: Any,
    where: str,
    values: dict[str, dict[str, Any]],
    sources: dict[str, str],
    problems: list[str],
    *,
    shown: str = "",
) -> None:
    owner = SECTIONS.get(section, Config)
    item = next(item for item in fields(owner) if item.name == name)
    check = s.declaration(item).check
    try:
        accepted = s.coerce(value, s.types_of(owner)[name])
        complaint = check(accepted) if check else None
    except ValueError as error:
        complaint = str(error)
    if complaint:
        # The message goes into logs: an address or a header may hold a password.
        seen = REDACTED if name == "headers" else redact_text(shown or repr(value))
        problems.append(f"{where} {complaint}; it is {seen}.")
        return
    if (section, name) == ("service", "attributes"):
        accepted = _move_named(accepted, where, values, sources, problems)
    values.setdefault(section, {})[name] = accepted
    sources[f"{section}.{name}" if section else name] = where


def _from_environment(environ: Mapping[str, str], values: dict[str, dict[str, Any]], sources: dict[str, str], problems: list[str]) -> None:
    for section, name, item in declared():
        declaration = s.declaration(item)
        text = environ.get(declaration.env or "", "").strip()  # a secret mounted as a file often ends in a line break
        if not declaration.env or not text:  # OpenTelemetry: an empty variable counts as unset
            continue
        wanted = s.types_of(SECTIONS.get(section, Config))[name]
        try:
            value = declaration.parse(text) if declaration.parse else s.parse_text(text, wanted)
        except ValueError as error:
            problems.append(f"{declaration.env} {error}; it is {REDACTED if name == 'headers' else redact_text(repr(text))}.")
            continue
        shown = (
            f"{text!r}, which is {value:g} seconds (the variable holds milliseconds)" if declaration.parse is s.milliseconds else repr(text)
        )
        _take(section, name, value, declaration.env, values, sources, problems, shown=shown)
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        values.setdefault("", {})["enabled"] = False
        sources["enabled"] = "OTEL_SDK_DISABLED"


_NAMED_BY_ATTRIBUTE = {
    "service.name": "name",
    "service.namespace": "namespace",
    "service.version": "version",
    "service.owner": "owner",
    "service.criticality": "criticality",
    "deployment.environment.name": "environment",
}


def _move_named(
    attributes: dict[str, str], where: str, values: dict[str, dict[str, Any]], sources: dict[str, str], problems: list[str]
) -> dict[str, str]:
    """The attributes without those that have a setting of their own, which are taken as that setting.

    As everywhere the environment wins over ``OTELKIT``; at the same rank the own setting wins, as OpenTelemetry says of OTEL_SERVICE_NAME.
    """
    rest = dict(attributes)
    for attribute, name in _NAMED_BY_ATTRIBUTE.items():
        value = rest.pop(attribute, "")
        own = sources.get(f"service.{name}", "")
        if value and (not own or (where.startswith("OTEL_") and own.startswith("OTELKIT"))):
            _take("service", name, value, where, values, sources, problems)
    return rest


def _suggest(word: object, known: Any) -> str:
    close = get_close_matches(str(word), list(known), n=1, cutoff=0.5)
    return f' Did you mean "{close[0]}"?' if close else f" There are {', '.join(sorted(known))}."
