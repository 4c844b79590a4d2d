"""Health: what a service says of its own parts when it is probed."""

from __future__ import annotations

from otelkit.catalog import labels as l
from otelkit.catalog.metrics.model import SECONDS_BUCKETS, Kind, Metric

HEALTH_CHECK_STATUS = Metric(
    "health.check.status",
    Kind.GAUGE,
    "",
    "1 where the check passed, 0 where it failed, in the process that was probed; for a minute after the probe.",
    (l.HEALTH_CHECK,),
)
HEALTH_CHECK_DURATION = Metric("health.check.duration", Kind.HISTOGRAM, "s", "Time of one check.", (l.HEALTH_CHECK,), SECONDS_BUCKETS)
