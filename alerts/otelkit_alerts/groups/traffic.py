"""Traffic: what error ratios cannot see, because a service that nobody reaches makes no errors."""

from __future__ import annotations

from otelkit.catalog.boards import SERVICE_OVERVIEW
from otelkit.catalog.labels import HOST_NAME
from otelkit.catalog.metrics import HTTP_SERVER_REQUEST_DURATION, TARGET_INFO
from otelkit.catalog.objectives import REPLICA_SKEW, TRAFFIC_FLOOR
from otelkit.catalog.promql import average, highest, present, rate
from otelkit.catalog.recorded import OWNED_SERVICE
from otelkit.catalog.recorded import SERVICE as SERVICE_LABELS
from otelkit_alerts.groups.about import ENVIRONMENT, RATE, SERVICE, THIS_SERVICE
from otelkit_alerts.model import Alert, Category, Group, Severity
from otelkit_alerts.pace import Pace


def groups(pace: Pace) -> tuple[Group, ...]:
    """The group ``otelkit-traffic``."""
    return (Group("otelkit-traffic", pace.interval, (_traffic_gone(pace), _skewed(pace))),)


def _traffic_gone(pace: Pace) -> Alert:
    before = rate(HTTP_SERVER_REQUEST_DURATION, by=OWNED_SERVICE, window=pace.traffic_before, offset=pace.recent)
    answers = rate(HTTP_SERVER_REQUEST_DURATION, by=SERVICE_LABELS, window=pace.recent) > 0
    reports = present(TARGET_INFO, by=SERVICE_LABELS, window=pace.recent)
    return Alert(
        name="DjangoTrafficGone",
        severity=Severity.CRITICAL,
        category=Category.TRAFFIC,
        # A service that reports nothing at all is the business of ServiceTelemetryMissing.
        expr=(before > TRAFFIC_FLOOR).unless_on(SERVICE_LABELS, answers).and_on(SERVICE_LABELS, reports),
        hold=pace.traffic_hold,
        summary=f"{SERVICE} in {ENVIRONMENT} answers no requests any more.",
        description=(
            f"{SERVICE} answered {RATE} requests a second over the {pace.traffic_before} before, and none in the last "
            f"{pace.recent}, although it still reports. Send it one request yourself: if that is answered, the way to it is broken (load "
            "balancer, DNS, the service that calls it); if it hangs, all its workers are stuck: restart one and read its stack."
        ),
        first_look=rate(HTTP_SERVER_REQUEST_DURATION, where=THIS_SERVICE, window=pace.recent),
        board=SERVICE_OVERVIEW,
    )


def _skewed(pace: Pace) -> Alert:
    # By host, not by worker: how the kernel spreads connections over the workers of one host is nobody's mistake.
    hosts = rate(HTTP_SERVER_REQUEST_DURATION, by=[*OWNED_SERVICE, HOST_NAME], window=pace.recent)
    mean = average(hosts, OWNED_SERVICE)
    return Alert(
        name="ReplicaSkew",
        severity=Severity.INFO,
        category=Category.TRAFFIC,
        expr=(highest(hosts, OWNED_SERVICE) / (mean > 0) > REPLICA_SKEW).and_on(OWNED_SERVICE, mean > TRAFFIC_FLOOR),
        hold=pace.skew_hold,
        summary=f"One host does most of the work of {SERVICE} in {ENVIRONMENT}.",
        description=(
            f"The busiest host of {SERVICE} answers {RATE} times as many requests as a host does on average: the others stand by, and "
            "it is the first to be overloaded. Look first at how the load balancer spreads: long-lived connections and sticky sessions "
            "do this."
        ),
        first_look=rate(HTTP_SERVER_REQUEST_DURATION, by=[HOST_NAME], where=THIS_SERVICE, window=pace.recent),
        board=SERVICE_OVERVIEW,
        measures_ratio=True,
    )
