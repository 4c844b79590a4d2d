"""The kit's own pipeline: what was made, sent, lost and still waits, and what a request pays for it."""

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
OVERHEAD_DURATION = Metric(
    "otelkit.overhead.duration",
    Kind.HISTOGRAM,
    "s",
    "Time that the kit took of one request: in its middleware and after each query. Of every 16th request; exporting is not in it.",
    (),
    (0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.005),
)
