"""Named configurations. A preset is a value; each line has its reason, and its cost where it has one."""

from __future__ import annotations

from dataclasses import replace

from otelkit.config.export import Export
from otelkit.config.sections import Config, Libraries, Logs, Metrics, Traces

PRODUCTION = Config(preset="production")

DEVELOPMENT = replace(
    PRODUCTION,
    preset="development",
    logs=Logs(format="text"),  # a person reads them
    libraries=Libraries(slow_step=0.0),  # every cache call and template shows in its place; several times their own cost
    metrics=Metrics(interval=5.0),  # a change shows while one is still looking; three times the exports
    export=Export(interval=0.2, shutdown_timeout=1.0),  # traces show at once, and autoreload does not wait for a missing collector
)

TEST = replace(
    PRODUCTION,
    preset="test",
    traces=Traces(exporters=()),  # a test run must not be seen in production's traces, nor need a collector
    metrics=Metrics(exporters=(), strict=True),  # as above; a business metric with a wrong label fails the test that records it
    logs=Logs(exporters=()),  # the test runner captures lines; with its handlers exchanged it would show JSON
    export=Export(shutdown_timeout=0.0),  # nothing is queued, so nobody waits
)

HIGH_TRAFFIC = replace(
    PRODUCTION,
    preset="high_traffic",
    # A tenth of the traces tells the same story; metrics still count every request, and a caller's decision is still followed.
    # Cost: nine of ten rare failures have a log line and no trace.
    traces=Traces(sample_ratio=0.1),
    metrics=Metrics(interval=30.0),  # half the exports of many workers; a rate shows 15 s later
    logs=Logs(access=False),  # the line is what a cheap request costs most; its facts are on the metric and, sampled, on the span
    # The export thread waits its turn for Python's lock several times a batch, so in a busy process large batches alone keep up with
    # 20,000 spans a second. Twice the queue carries a burst over a collector's restart; up to some 50 MB while it is away.
    export=Export(batch_size=2048, queue_size=16384),
)

PULL = replace(
    PRODUCTION,
    preset="pull",
    metrics=Metrics(exporters=("prometheus",)),  # Prometheus scrapes /metrics; no collector is needed for metrics, a port is to be guarded
)

PRESETS: dict[str, Config] = {preset.preset: preset for preset in (DEVELOPMENT, TEST, PRODUCTION, HIGH_TRAFFIC, PULL)}
