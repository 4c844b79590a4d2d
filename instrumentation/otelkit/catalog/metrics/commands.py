"""Management commands, each run of one."""

from __future__ import annotations

from otelkit.catalog.labels import COMMAND, COMMAND_OUTCOME
from otelkit.catalog.metrics.model import LONG_BUCKETS, Kind, Metric

COMMAND_DURATION = Metric(
    "command.duration", Kind.HISTOGRAM, "s", "Time of one management command.", (COMMAND, COMMAND_OUTCOME), LONG_BUCKETS
)
COMMAND_LAST_SUCCESS_TIME = Metric(
    "command.last_success.time",
    Kind.GAUGE,
    "s",
    "Unix time of the last run of a management command that went well.",
    (COMMAND,),
)
