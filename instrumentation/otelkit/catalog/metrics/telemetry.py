"""The kit's own pipeline: what was made, sent, lost and still waits."""

from __future__ import annotations

from otelkit.catalog import labels as l
from otelkit.catalog.metrics.model import SECONDS_BUCKETS, Kind, Metric

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
    "otelkit.telemetry.queued",
    Kind.UP_DOWN_COUNTER,
    "{item}",
    "Spans, log lines and metric points that wait, or are being sent.",
    (l.SIGNAL,),
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
