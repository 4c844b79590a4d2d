"""The kit's own pipeline: what a request pays for it."""

from __future__ import annotations

from otelkit.catalog.metrics.model import Kind, Metric

OVERHEAD_DURATION = Metric(
    "otelkit.overhead.duration",
    Kind.HISTOGRAM,
    "s",
    "Time that the kit itself took of one request.",
    (),
    (0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.005),
)
