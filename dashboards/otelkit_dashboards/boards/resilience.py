"""Resilience: what holds when parts fail."""

from __future__ import annotations

from typing import Final

from otelkit.catalog.boards import RESILIENCE
from otelkit.catalog.labels import HEALTH_CHECK, SERVICE_NAME
from otelkit.catalog.metrics import HEALTH_CHECK_DURATION, HEALTH_CHECK_STATUS
from otelkit.catalog.promql import count, minimum, quantile, total
from otelkit_dashboards.boards.choices import CHOSEN, DEPLOYS, ENVIRONMENT, FIRING, SERVICE
from otelkit_dashboards.boards.guards import or_zero, where_used
from otelkit_dashboards.model import Dashboard, Row
from otelkit_dashboards.panels import Exemption, Query, Stat, Thresholds, TimeSeries, Unit

NO_PATTERN: Final = "No service reports here: it is off, or its metrics do not arrive."
_NO_OBJECTIVE: Final = Exemption("threshold-is-objective", "Any at all is wrong; there is no objective to take a number from.")
_CHECK: Final = [SERVICE_NAME, HEALTH_CHECK]

HEALTH: Final = Row(
    "health",
    "Probes",
    (
        Stat(
            key="failing-checks",
            title="Failing checks",
            help="Health checks that say no, over all workers that were probed within the last minute.",
            act="Find which below; a worker whose required check fails gets no requests, so see too how many are left.",
            missing=NO_PATTERN,
            unit=Unit.COUNT,
            thresholds=Thresholds(critical=1),
            exemptions=(_NO_OBJECTIVE,),
            queries=(Query(or_zero(count(HEALTH_CHECK_STATUS, where=CHOSEN) - total(HEALTH_CHECK_STATUS, where=CHOSEN))),),
        ),
        TimeSeries(
            key="checks",
            title="Checks",
            help="1 where every probed worker passes the check, 0 where one does not.",
            act="A check at 0: its reason is in the log line that says it fails, and in the answer of /readyz asked from the host.",
            missing=NO_PATTERN,
            unit=Unit.COUNT,
            queries=where_used(minimum(HEALTH_CHECK_STATUS, by=_CHECK, where=CHOSEN), (SERVICE_NAME, HEALTH_CHECK)),
        ),
        TimeSeries(
            key="check-duration",
            title="Check time, p95",
            help="Time within which 95 of 100 runs of a check end.",
            act="Near the check's timeout, the next slow answer takes the worker out of the load balancer: look at what is asked.",
            missing=NO_PATTERN,
            unit=Unit.SECONDS,
            queries=where_used(quantile(0.95, HEALTH_CHECK_DURATION, by=_CHECK, where=CHOSEN), (SERVICE_NAME, HEALTH_CHECK)),
        ),
    ),
)

BOARD: Final = Dashboard(
    fact=RESILIENCE,
    variables=(ENVIRONMENT, SERVICE),
    annotations=(DEPLOYS, FIRING),
    rows=(HEALTH,),
)
