"""The way of telemetry out of a service: created, queued, exported or dropped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from otelkit.catalog.labels import ERROR_TYPE, METRIC, REASON, SERVICE_NAME, SIGNAL, Label
from otelkit.catalog.metrics import (
    EXPORT_DURATION,
    OVERHEAD_DURATION,
    SERIES_OVERFLOWED,
    TELEMETRY_CREATED,
    TELEMETRY_DROPPED,
    TELEMETRY_EXPORTED,
    TELEMETRY_QUEUED,
)
from otelkit.catalog.objectives import TELEMETRY_LOSS_RATIO
from otelkit.catalog.promql import RATE_INTERVAL, Expr, accumulated, differs, number, quantile, rate, ratio, total
from otelkit_dashboards.boards.choices import CHOSEN
from otelkit_dashboards.boards.guards import or_none
from otelkit_dashboards.model import Row
from otelkit_dashboards.panels import Exemption, Query, Thresholds, TimeSeries, Unit

NO_PIPELINE: Final = "No word from the exporter: the service is off, or its metrics do not arrive here."
LOSS_THRESHOLDS: Final = Thresholds(critical=TELEMETRY_LOSS_RATIO)
BALANCE: Final = Exemption("counter-under-rate", "The balance of counters that restart together; rates would blur it.")

_BY: Final = [SERVICE_NAME, SIGNAL]
_LEGEND: Final = (SERVICE_NAME, SIGNAL)
_FAILED: Final = (*CHOSEN, differs(ERROR_TYPE, ""))


def lost_share(*, by: Sequence[Label] = (), window: str = RATE_INTERVAL) -> Expr:
    """Dropped telemetry as a share of what was created."""
    return ratio(
        rate(TELEMETRY_DROPPED, by=by, where=CHOSEN, window=window),
        rate(TELEMETRY_CREATED, by=by, where=CHOSEN, window=window),
    )


def unaccounted(*, by: Sequence[Label] = ()) -> Expr:
    """created - exported - dropped - queued: 0 unless telemetry vanished without a trace, or was counted twice."""
    created = accumulated(TELEMETRY_CREATED, by=by, where=CHOSEN)
    none = number(0) * created
    exported = accumulated(TELEMETRY_EXPORTED, by=by, where=CHOSEN).or_else(none)
    dropped = accumulated(TELEMETRY_DROPPED, by=by, where=CHOSEN).or_else(none)
    queued = total(TELEMETRY_QUEUED, by=by, where=CHOSEN).or_else(none)
    return created - exported - dropped - queued


def failed_exports(*, by: Sequence[Label] = (), window: str = RATE_INTERVAL) -> Expr:
    """Share of exports that the receiver did not take."""
    return ratio(
        rate(EXPORT_DURATION, by=by, where=_FAILED, window=window),
        rate(EXPORT_DURATION, by=by, where=CHOSEN, window=window),
    )


FLOW = Row(
    "flow",
    "From the service to the receiver",
    (
        TimeSeries(
            key="created",
            title="Created",
            help="Spans, log lines and metric points a second that services made.",
            act="A jump is a new loop or a debug log level; nothing from a busy service is a switched-off signal.",
            missing=NO_PIPELINE,
            unit=Unit.EVENTS_PER_SECOND,
            queries=(Query(rate(TELEMETRY_CREATED, by=_BY, where=CHOSEN), _LEGEND),),
        ),
        TimeSeries(
            key="exported",
            title="Exported",
            help="Spans, log lines and metric points a second that a receiver took.",
            act="Below what is created for long: look at the queue and at what is dropped.",
            missing=NO_PIPELINE,
            unit=Unit.EVENTS_PER_SECOND,
            queries=(Query(rate(TELEMETRY_EXPORTED, by=_BY, where=CHOSEN), _LEGEND),),
        ),
        TimeSeries(
            key="dropped",
            title="Dropped by reason",
            help="Spans, log lines and metric points a second that were given up.",
            act="queue_full: the receiver is slow; unreachable: it is away; rejected, too_large: it refuses; shutdown: too little time.",
            missing=NO_PIPELINE,
            unit=Unit.EVENTS_PER_SECOND,
            stacked=True,
            bars=True,
            queries=or_none(
                rate(TELEMETRY_DROPPED, by=[SIGNAL, REASON], where=CHOSEN),
                (SIGNAL, REASON),
                out_of=rate(TELEMETRY_CREATED, where=CHOSEN),
            ),
        ),
        TimeSeries(
            key="queued",
            title="Queued",
            help="Spans, log lines and metric points that wait to be sent.",
            act="Growing without end: the receiver is too slow or away, and dropping comes next.",
            missing=NO_PIPELINE,
            unit=Unit.COUNT,
            queries=(Query(total(TELEMETRY_QUEUED, by=_BY, where=CHOSEN), _LEGEND),),
        ),
        TimeSeries(
            key="loss-over-time",
            title="Share lost",
            help="Dropped telemetry as a share of what was created.",
            act="While it is above the dashed line, read the other boards with doubt and fix the pipeline first.",
            missing=NO_PIPELINE,
            unit=Unit.SHARE,
            thresholds=LOSS_THRESHOLDS,
            queries=(Query(lost_share(by=_BY), _LEGEND),),
        ),
        TimeSeries(
            key="balance",
            title="Balance",
            help="Created minus exported, dropped and queued: a line at 0 where everything is accounted for.",
            act="A lasting step names the service and signal that lost count: restart the worker, and report it.",
            missing=NO_PIPELINE,
            unit=Unit.COUNT,
            signed=True,
            exemptions=(BALANCE,),
            queries=(Query(unaccounted(by=_BY), _LEGEND),),
        ),
    ),
)

EXPORT = Row(
    "export",
    "Exports",
    (
        TimeSeries(
            key="export-duration",
            title="Export time, p95",
            help="Time within which 95 of 100 exports are answered by the receiver.",
            act="Near the exporter's timeout, exports begin to fail: look at the receiver's load.",
            missing=NO_PIPELINE,
            unit=Unit.SECONDS,
            queries=(Query(quantile(0.95, EXPORT_DURATION, by=_BY, where=CHOSEN), _LEGEND),),
        ),
        TimeSeries(
            key="export-error-types",
            title="Failed exports by error",
            help="Exports a second that failed, by kind of error.",
            act="A connection error: the receiver or the network; a status of 4xx: address, token or size; of 5xx: the receiver's own log.",
            missing=NO_PIPELINE,
            unit=Unit.OPERATIONS_PER_SECOND,
            stacked=True,
            bars=True,
            queries=or_none(
                rate(EXPORT_DURATION, by=[SIGNAL, ERROR_TYPE], where=_FAILED),
                (SIGNAL, ERROR_TYPE),
                out_of=rate(EXPORT_DURATION, where=CHOSEN),
            ),
        ),
        TimeSeries(
            key="overflow",
            title="Measurements in overflow by metric",
            help="Measurements a second that went to a metric's overflow series.",
            act="Take the label with endless values off that metric, or raise its series cap if the values are few but more than thought.",
            missing=NO_PIPELINE,
            unit=Unit.EVENTS_PER_SECOND,
            height=6,
            queries=or_none(
                rate(SERIES_OVERFLOWED, by=[SERVICE_NAME, METRIC], where=CHOSEN),
                (SERVICE_NAME, METRIC),
                out_of=rate(TELEMETRY_CREATED, where=CHOSEN),
            ),
        ),
        TimeSeries(
            key="overhead",
            title="Time of the kit per request, p95",
            help="Time within which 95 of 100 requests pay for their telemetry: middleware and queries, without exporting.",
            act="Usually far below a millisecond. Rising with queries: look for N+1; rising alone: look at the host's processor.",
            missing="No word of it: it is measured in every 16th request, and there were fewer, or none.",
            unit=Unit.SECONDS,
            height=6,
            queries=(Query(quantile(0.95, OVERHEAD_DURATION, by=[SERVICE_NAME], where=CHOSEN), (SERVICE_NAME,)),),
        ),
    ),
)
