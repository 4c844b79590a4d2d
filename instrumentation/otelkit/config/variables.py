"""OpenTelemetry's environment variables that no setting reads: each either changes something, or somebody is told that it does not.

Sources: the specification's "Environment Variable Specification" and "OpenTelemetry Protocol Exporter", and the list of the Python SDK.
Those that a setting reads are declared with it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches

from otelkit.catalog.labels import SIGNAL

SPAN_LIMITS = (
    "OTEL_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_SPAN_EVENT_COUNT_LIMIT",
    "OTEL_SPAN_LINK_COUNT_LIMIT",
    "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT",
)
"""Read by the SDK when it makes spans. So each of them sets ``traces.sdk_spans``: then it makes the kit's own, too."""

SWITCH = "OTEL_SDK_DISABLED"

_ADDRESS_SAYS_IT = "http:// or https:// in the endpoint says it"
_ONE_TIMEOUT = "OTEL_EXPORTER_OTLP_TIMEOUT is for each export"
_FIXED_FOR_LOGS = "a log line holds 128 keys, each of bounded length"
_NO_ZIPKIN = "otelkit sends OTLP; a collector converts to Zipkin's format"
_NO_FILE = "the settings are OTELKIT in the Django settings, and the variables that SETTINGS.md lists"
_BY_START = "otelkit sets up the SDK itself"

WITHOUT_EFFECT: dict[str, str] = {
    "OTEL_ENTITIES": "resource attributes are given by OTEL_RESOURCE_ATTRIBUTES",
    "OTEL_BSP_EXPORT_TIMEOUT": _ONE_TIMEOUT,
    "OTEL_BLRP_EXPORT_TIMEOUT": _ONE_TIMEOUT,
    "OTEL_METRIC_EXPORT_TIMEOUT": _ONE_TIMEOUT,
    "OTEL_BLRP_SCHEDULE_DELAY": "OTEL_BSP_SCHEDULE_DELAY is for log lines, too",
    "OTEL_BLRP_MAX_QUEUE_SIZE": "OTEL_BSP_MAX_QUEUE_SIZE is for log lines, too",
    "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE": "OTEL_BSP_MAX_EXPORT_BATCH_SIZE is for log lines, too",
    "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT": _FIXED_FOR_LOGS,
    "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT": _FIXED_FOR_LOGS,
    **{f"OTEL_EXPORTER_OTLP_{signal}INSECURE": _ADDRESS_SAYS_IT for signal in ("", *(f"{signal.upper()}_" for signal in SIGNAL.values))},
    "OTEL_EXPORTER_OTLP_SPAN_INSECURE": _ADDRESS_SAYS_IT,
    "OTEL_EXPORTER_OTLP_METRIC_INSECURE": _ADDRESS_SAYS_IT,
    "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "otelkit sends cumulative; a collector converts (cumulativetodelta)",
    "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION": "otelkit's histograms have explicit buckets",
    "OTEL_EXPORTER_PROMETHEUS_HOST": "otelkit's own port is on 127.0.0.1; other machines ask the view, with OTELKIT_METRICS_TOKEN",
    "OTEL_EXPORTER_PROMETHEUS_PORT": "set OTELKIT_METRICS_PORT",
    "OTEL_EXPORTER_ZIPKIN_ENDPOINT": _NO_ZIPKIN,
    "OTEL_EXPORTER_ZIPKIN_TIMEOUT": _NO_ZIPKIN,
    "OTEL_EXPORTER_ZIPKIN_PROTOCOL": _NO_ZIPKIN,
    "OTEL_CONFIG_FILE": _NO_FILE,
    "OTEL_EXPERIMENTAL_CONFIG_FILE": _NO_FILE,
    "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS": "more resource attributes are given by OTEL_RESOURCE_ATTRIBUTES",
    "OTEL_PYTHON_ID_GENERATOR": "otelkit's ids are random, as W3C Trace Context level 2 asks",
    "OTEL_PYTHON_TRACER_CONFIGURATOR": _BY_START,
    "OTEL_PYTHON_METER_CONFIGURATOR": _BY_START,
    "OTEL_PYTHON_LOGGER_CONFIGURATOR": _BY_START,
    "OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED": "otelkit counts its own losses as otelkit.telemetry.*",
    "OTEL_PYTHON_DJANGO_EXCLUDED_URLS": 'name the paths in OTELKIT["requests"]["excluded_paths"]',
}
"""Variable -> what holds instead."""

_AS_IT_IS = {
    "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "cumulative",
    "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION": "explicit_bucket_histogram",
}
"""Variable -> the value that asks for what happens anyway."""

OWN = frozenset({"OTELKIT_PRESET", "OTELKIT_RUN", "OTELKIT_VERSION"})
"""Ours that are no settings: the choice of a preset, what `otelkit run` hands to its child, and what compose hands to the image."""

_OTHER_ROOMS = ("OTELKIT_DEMO_", "OTELKIT_STACK_", "OTELKIT_SUITE_")
"""What the demo, the stack and the tests read."""


_OF_KUBERNETES = re.compile(r"\w+_(?:SERVICE_HOST|SERVICE_PORT\w*|PORT_\d+_(?:TCP|UDP)\w*)")
"""What a pod is told about a Service that is called otelkit, or otelkit-something; beside ``OTELKIT_PORT=tcp://...``."""


def without_effect(environ: Mapping[str, str], known: Collection[str]) -> dict[str, str]:
    """Variables of OpenTelemetry that are set and change nothing, each with what holds instead.

    Of names that nobody knows only those that look like a slip of the finger: there are hundreds of other programs' variables.
    """
    found = {}
    for name in sorted(environ):
        value = environ[name].strip().lower()
        if not value or not name.startswith("OTEL_"):
            continue
        if name in WITHOUT_EFFECT:
            if value != _AS_IT_IS.get(name):
                found[name] = WITHOUT_EFFECT[name]
        elif name == SWITCH:
            if value not in ("true", "false"):
                found[name] = "OpenTelemetry knows true and false, and takes everything else for false"
        elif name not in known and name not in SPAN_LIMITS and (close := get_close_matches(name, known, n=1, cutoff=0.95)):
            found[name] = f"there is no such variable; did you mean {close[0]}?"
    return found


def unknown_of_ours(environ: Mapping[str, str], known: Collection[str]) -> list[str]:
    """Variables that are named like the kit's and are none of them."""
    return [
        name
        for name, value in sorted(environ.items())
        if name.startswith("OTELKIT_") and value.strip() and name not in known and name not in OWN and not _is_of_others(name, value)
    ]


def _is_of_others(name: str, value: str) -> bool:
    is_of_kubernetes = _OF_KUBERNETES.fullmatch(name) or (name.endswith("_PORT") and "://" in value)
    return name.startswith(_OTHER_ROOMS) or bool(is_of_kubernetes)
