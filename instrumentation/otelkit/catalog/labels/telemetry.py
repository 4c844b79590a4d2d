"""The kit's own pipeline, and business metrics."""

from __future__ import annotations

from otelkit.catalog.labels.model import Label

SIGNAL = Label("signal", "Kind of telemetry. Ours.", ("traces", "metrics", "logs"))
REASON = Label(
    "reason",
    "Why telemetry was dropped. Ours.",
    ("queue_full", "rejected", "unreachable", "too_large", "unencodable", "shutdown"),
)
METRIC = Label("metric", "Name of a metric of this catalogue. Ours.")
OTHER_VALUE = "_OTHER"
"""What a business metric's label says instead of a value that its declaration does not list."""
