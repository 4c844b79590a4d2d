"""What ``otelcol validate`` does not say about a Collector configuration: old names, the batch processor, the order of processors.

An old component name still starts, with a warning in the log, until the release that removes it.
Source: the Collector's changelogs from 0.144 to 0.162, and contrib issue 45339, which tracks the renames.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

KINDS = ("receivers", "processors", "exporters", "connectors", "extensions")

RENAMED: Mapping[str, Mapping[str, str]] = {
    "receivers": {"filelog": "file_log", "hostmetrics": "host_metrics", "httpcheck": "http_check"},
    "processors": {"k8sattributes": "k8s_attributes", "resourcedetection": "resource_detection", "tailsampling": "tail_sampling"},
    "exporters": {
        "otlp": "otlp_grpc",
        "otlphttp": "otlp_http",
        "logging": "debug",
        "loadbalancing": "load_balancing",
        "prometheusremotewrite": "prometheus_remote_write",
        "loki": "otlp_http",
    },
    "connectors": {"spanmetrics": "span_metrics", "servicegraph": "service_graph"},
    "extensions": {"memory_ballast": "GOMEMLIMIT in the environment"},
}
"""Old name to new, by kind. The `otlp` receiver kept its name; the exporter did not."""


def complaints(config: Mapping[str, Any]) -> list[str]:
    """One sentence for each thing that works today and will not, or that loses data in silence. Empty for a good configuration."""
    return [*_old_names(config), *_batching(config), *_wiring(config), *_telemetry(config)]


def _old_names(config: Mapping[str, Any]) -> Iterator[str]:
    for kind in KINDS:
        for component in config.get(kind) or {}:
            new = RENAMED[kind].get(component.partition("/")[0])
            if new:
                yield f"{kind}: {component} is an old name; it is {new} now."


def _batching(config: Mapping[str, Any]) -> Iterator[str]:
    for processor in config.get("processors") or {}:
        if processor.partition("/")[0] == "batch":
            yield "processors: batch is on its way out and loses what it holds in a crash; batch in the exporter's sending_queue."
    for name, exporter in (config.get("exporters") or {}).items():
        if not name.startswith(("otlp_", "otlp/", "otlphttp")):
            continue
        queue = exporter.get("sending_queue") or {}
        if not queue.get("storage"):
            yield f"exporters: {name} has no sending_queue.storage; what it queues dies with the process."
        elif (exporter.get("retry_on_failure") or {}).get("max_elapsed_time") != "0s":
            yield f"exporters: {name} gives up after five minutes, so its disk queue is emptied into nothing; set max_elapsed_time: 0s."
        if "batch" not in queue:
            yield f"exporters: {name} sends each request as it came; give its sending_queue a batch."


def _wiring(config: Mapping[str, Any]) -> Iterator[str]:
    pipelines = config["service"]["pipelines"]
    used: dict[str, set[str]] = {kind: set() for kind in KINDS}
    connectors = set(config.get("connectors") or {})
    for name, pipeline in pipelines.items():
        sources, sinks = set(pipeline["receivers"]), set(pipeline["exporters"])
        used["receivers"] |= sources - connectors
        used["exporters"] |= sinks - connectors
        used["connectors"] |= (sources | sinks) & connectors
        processors = pipeline.get("processors") or []
        used["processors"] |= set(processors)
        # Behind a connector the data was already admitted; refusing it there would lose it.
        if sources - connectors and processors[:1] != ["memory_limiter"]:
            yield f"pipelines: {name} takes data from outside, so its first processor must be memory_limiter."
    used["extensions"] = set(config["service"].get("extensions") or ())
    for kind in KINDS:
        for component in sorted(set(config.get(kind) or {}) - used[kind]):
            yield f"{kind}: {component} is defined and used nowhere."
        for component in sorted(used[kind] - set(config.get(kind) or {})):
            yield f"{kind}: {component} is used and defined nowhere."


def _telemetry(config: Mapping[str, Any]) -> Iterator[str]:
    telemetry = config["service"].get("telemetry") or {}
    if "address" in (telemetry.get("metrics") or {}):
        yield "telemetry: metrics.address is ignored since 0.123; use readers."
    if set(telemetry.get("resource") or {}) - {"attributes"}:
        yield "telemetry: resource as a plain map is the legacy form; use attributes: [{name, value}]."
