"""Checks of environment variables that somebody set and nobody reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from otelkit.checks.check import Finding, Project, check
from otelkit.config import declared
from otelkit.settings_field import declaration
from otelkit.traces.provider import KitTracerProvider

_OTHER_OWN = frozenset({"OTELKIT_PRESET", "OTELKIT_RUN", "OTELKIT_VERSION"})
_OTHER_ROOMS = ("OTELKIT_DEMO_", "OTELKIT_STACK_")
_OF_KUBERNETES = re.compile(r"\w+_(?:SERVICE_HOST|SERVICE_PORT\w*|PORT_\d+_(?:TCP|UDP)\w*)")
"""What a pod is told about a Service that is called otelkit, or otelkit-something; and ``OTELKIT_PORT=tcp://...``."""
_SIGNALS = ("TRACES", "METRICS", "LOGS")

_INSTEAD = {
    **{
        f"OTEL_EXPORTER_OTLP_{signal}_{what}": f"OTEL_EXPORTER_OTLP_{what} holds for every signal."
        for signal in _SIGNALS
        for what in ("HEADERS", "TIMEOUT", "COMPRESSION", "CERTIFICATE")
    },
    **{
        f"OTEL_EXPORTER_OTLP_{signal}INSECURE": "The address says it: http:// or https:// in OTEL_EXPORTER_OTLP_ENDPOINT."
        for signal in ("", *(f"{signal}_" for signal in _SIGNALS))
    },
    **{
        f"OTEL_EXPORTER_OTLP_{signal}{what}": "Send to a collector beside the service, and let that one show the certificate."
        for signal in ("", *(f"{signal}_" for signal in _SIGNALS))
        for what in ("CLIENT_KEY", "CLIENT_CERTIFICATE")
    },
    "OTEL_BSP_EXPORT_TIMEOUT": "OTEL_EXPORTER_OTLP_TIMEOUT is for every export.",
    "OTEL_BLRP_EXPORT_TIMEOUT": "OTEL_EXPORTER_OTLP_TIMEOUT is for every export.",
    "OTEL_METRIC_EXPORT_TIMEOUT": "OTEL_EXPORTER_OTLP_TIMEOUT is for every export.",
    "OTEL_BLRP_SCHEDULE_DELAY": "OTEL_BSP_SCHEDULE_DELAY holds for log lines as well.",
    "OTEL_BLRP_MAX_QUEUE_SIZE": "OTEL_BSP_MAX_QUEUE_SIZE holds for log lines as well.",
    "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE": "OTEL_BSP_MAX_EXPORT_BATCH_SIZE holds for log lines as well.",
    "OTEL_EXPORTER_PROMETHEUS_PORT": "OTELKIT_METRICS_PORT serves /metrics on a port of 127.0.0.1.",
    "OTEL_EXPORTER_PROMETHEUS_HOST": "A port is on 127.0.0.1 alone (OTELKIT_METRICS_PORT); the view asks for OTELKIT_METRICS_TOKEN.",
    "OTEL_PYTHON_DJANGO_EXCLUDED_URLS": 'Name the paths in OTELKIT["requests"]["excluded_paths"].',
    "OTEL_CONFIG_FILE": "The settings are OTELKIT in the Django settings, and the variables that SETTINGS.md lists.",
}
"""Variable of OpenTelemetry -> what to use in its place. Source: the specification's environment variables, and the Python SDK's."""

_SAME_AS_OURS = {
    "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": ("cumulative",),
    "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION": ("explicit_bucket_histogram",),
}
"""Variable -> the values that ask for what happens anyway."""


@check("W010")
def unknown_variable(project: Project) -> Iterator[Finding]:
    """A variable is named like one of the kit's or OpenTelemetry's, but is none, so it does nothing."""
    known = {name for _, _, field in declared() if (name := declaration(field).env)} | _OTHER_OWN
    for name, value in sorted(project.environ.items()):
        if name in known or name in _INSTEAD or not name.startswith(("OTEL_", "OTELKIT_")) or name.startswith(_OTHER_ROOMS):
            continue
        if _OF_KUBERNETES.fullmatch(name) or (name.endswith("_PORT") and "://" in value):
            continue
        meant = _meant(name, known)
        # Of OTEL_ there are hundreds, for other programs too: only what looks like a slip of the finger is told.
        if meant or name.startswith("OTELKIT_"):
            way_on = f"Did you mean {meant}?" if meant else "SETTINGS.md of otelkit lists the variables."
            yield Finding(f"The environment variable {name} is set, but otelkit has none of this name.", way_on)


def _meant(name: str, known: set[str]) -> str | None:
    """The variable that was probably meant: a slip of the finger, or one of ours without its section."""
    prefix, _, rest = name.partition("_")
    if prefix == "OTELKIT":
        rests = {other.partition("_")[2]: other for other in known if other.startswith("OTELKIT_")}
        close = [found for found in sorted(rests) if found.endswith(f"_{rest}")] or get_close_matches(rest, rests, n=1, cutoff=0.7)
        return rests[close[0]] if close else None
    slips = get_close_matches(name, known, n=1, cutoff=0.95)
    return slips[0] if slips else None


@check("W011")
def variable_without_effect(project: Project) -> Iterator[Finding]:
    """A variable of OpenTelemetry is set that the kit does not read."""
    for name, instead in _INSTEAD.items():
        if project.environ.get(name):
            yield Finding(f"The environment variable {name} is set, but otelkit does not read it.", instead)
    for name, same in _SAME_AS_OURS.items():
        value = project.environ.get(name, "").strip().lower()
        if value and value not in same:
            yield Finding(
                f"{name} is {value!r}, but otelkit does not read it: it sends {same[0]}.",
                "Take it away, or let a collector convert (cumulativetodelta).",
            )


@check("W012")
def another_sampler(project: Project) -> Iterator[Finding]:
    """OTEL_TRACES_SAMPLER names a sampler that the kit does not have: it follows the caller's decision, and keeps a ratio of new traces."""
    sampler = project.environ.get("OTEL_TRACES_SAMPLER", "").strip()
    traces = project.config.traces
    ratio = traces.sample_ratio
    same = {"": True, "parentbased_traceidratio": True, "parentbased_always_on": ratio == 1, "parentbased_always_off": ratio == 0}
    if traces.exporters and not same.get(sampler, False) and not _has_provider_of_its_own():
        hints = {
            "parentbased_always_on": "Set OTEL_TRACES_SAMPLER_ARG=1.",
            "parentbased_always_off": "Set OTEL_TRACES_SAMPLER_ARG=0, or OTEL_TRACES_EXPORTER=none for no spans at all.",
            "always_off": "Set OTEL_TRACES_EXPORTER=none.",
            "always_on": "Set OTEL_TRACES_SAMPLER=parentbased_always_on: a trace is then kept whole or not at all.",
            "traceidratio": "Set OTEL_TRACES_SAMPLER=parentbased_traceidratio: a trace is then kept whole or not at all.",
        }
        yield Finding(
            f"OTEL_TRACES_SAMPLER is {sampler!r}, but otelkit does not read it: "
            f"it follows the caller's decision, and keeps {ratio:.0%} of the traces that begin here.",
            hints.get(sampler, "Set the share with OTEL_TRACES_SAMPLER_ARG; finer rules are the collector's (tail_sampling)."),
        )


def _has_provider_of_its_own() -> bool:
    """Whether the project has set a tracer provider; the SDK's reads the variable itself."""
    provider = trace.get_tracer_provider()
    return isinstance(provider, TracerProvider) and not isinstance(provider, KitTracerProvider)


@check("W013")
def another_protocol(project: Project) -> Iterator[Finding]:
    """OTEL_EXPORTER_OTLP_PROTOCOL asks for another protocol than OTLP over HTTP with protobuf, the only one that the kit speaks."""
    for name in ("OTEL_EXPORTER_OTLP_PROTOCOL", *(f"OTEL_EXPORTER_OTLP_{signal}_PROTOCOL" for signal in _SIGNALS)):
        protocol = project.environ.get(name, "").strip()
        if protocol and protocol != "http/protobuf":
            yield Finding(
                f"{name} is {protocol!r}, but otelkit speaks http/protobuf.",
                "Take it away, and let OTEL_EXPORTER_OTLP_ENDPOINT name the collector's port for HTTP, usually 4318.",
            )


CHECKS = (unknown_variable, variable_without_effect, another_sampler, another_protocol)
