"""Resilience: what holds when parts fail."""

from __future__ import annotations

from typing import Final

from otelkit.catalog.boards import RESILIENCE
from otelkit.catalog.labels import (
    CIRCUIT_BREAKER_NAME,
    CIRCUIT_BREAKER_STATE,
    CIRCUIT_BREAKER_TO,
    DEGRADED_REASON,
    FEATURE,
    HEALTH_CHECK,
    IDEMPOTENCY_OUTCOME,
    RETRY_OUTCOME,
    SERVER_ADDRESS,
    SERVICE_NAME,
    SHED_REASON,
)
from otelkit.catalog.metrics import (
    CIRCUIT_BREAKER_REJECTED,
    CIRCUIT_BREAKER_STATES,
    CIRCUIT_BREAKER_TRANSITIONS,
    DEGRADED_RESPONSES,
    HEALTH_CHECK_DURATION,
    HEALTH_CHECK_STATUS,
    HTTP_CLIENT_RETRIES,
    IDEMPOTENCY_REQUESTS,
    LOAD_SHED,
    RETRY_BUDGET_EXHAUSTED,
)
from otelkit.catalog.promql import count, equals, maximum, minimum, quantile, rate, total
from otelkit_dashboards.boards.choices import CHOSEN, DEPLOYS, ENVIRONMENT, FIRING, SERVICE
from otelkit_dashboards.boards.guards import or_zero, where_used
from otelkit_dashboards.model import Dashboard, Row
from otelkit_dashboards.panels import Exemption, Query, Stat, Thresholds, TimeSeries, Unit

NO_PATTERN: Final = "No service reports here: it is off, or its metrics do not arrive."
_NO_OBJECTIVE: Final = Exemption("threshold-is-objective", "Any at all is wrong; there is no objective to take a number from.")
_CHECK: Final = [SERVICE_NAME, HEALTH_CHECK]
_BREAKER: Final = [SERVICE_NAME, CIRCUIT_BREAKER_NAME]
_HOST: Final = [SERVICE_NAME, SERVER_ADDRESS]

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

FAILURES: Final = Row(
    "failures",
    "While others fail",
    (
        TimeSeries(
            key="open-breakers",
            title="Open circuit breakers",
            help="1 where a worker's circuit breaker is open: calls behind it fail at once, and what is called gets a rest.",
            act="Look at what the breaker guards, not at the breaker: outbound calls on the service's overview show whom it protects.",
            missing=NO_PATTERN,
            unit=Unit.COUNT,
            queries=where_used(
                maximum(CIRCUIT_BREAKER_STATES, by=_BREAKER, where=(*CHOSEN, equals(CIRCUIT_BREAKER_STATE, "open"))),
                (SERVICE_NAME, CIRCUIT_BREAKER_NAME),
            ),
        ),
        TimeSeries(
            key="breaker-transitions",
            title="Changes of circuit breakers",
            help="Changes of state a second, by the state that a breaker went to.",
            act="Open and half-open again and again is a dependency that half works: it answers a probe and fails under load.",
            missing=NO_PATTERN,
            unit=Unit.EVENTS_PER_SECOND,
            bars=True,
            queries=where_used(
                rate(CIRCUIT_BREAKER_TRANSITIONS, by=[*_BREAKER, CIRCUIT_BREAKER_TO], where=CHOSEN),
                (SERVICE_NAME, CIRCUIT_BREAKER_NAME, CIRCUIT_BREAKER_TO),
            ),
        ),
        TimeSeries(
            key="breaker-rejected",
            title="Calls not let through",
            help="Calls a second that an open circuit breaker turned back.",
            act="Each of them is an error or an answer with less: compare with the degraded answers to see which.",
            missing=NO_PATTERN,
            unit=Unit.OPERATIONS_PER_SECOND,
            queries=where_used(rate(CIRCUIT_BREAKER_REJECTED, by=_BREAKER, where=CHOSEN), (SERVICE_NAME, CIRCUIT_BREAKER_NAME)),
        ),
        TimeSeries(
            key="retries",
            title="Retries",
            help="Further attempts of calls a second, by host and by how they ended.",
            act="Mostly errors: retrying does not help here and only adds load. Mostly fine: what is called is flaky, so tell its owner.",
            missing=NO_PATTERN,
            unit=Unit.OPERATIONS_PER_SECOND,
            queries=where_used(
                rate(HTTP_CLIENT_RETRIES, by=[*_HOST, RETRY_OUTCOME], where=CHOSEN), (SERVICE_NAME, SERVER_ADDRESS, RETRY_OUTCOME)
            ),
        ),
        TimeSeries(
            key="retry-budget",
            title="Retries refused by the budget",
            help="Calls a second that were not tried again, because too many others were.",
            act="The called host is down or overloaded for everybody; the budget does its work. Look at that host, not at the budget.",
            missing=NO_PATTERN,
            unit=Unit.OPERATIONS_PER_SECOND,
            queries=where_used(rate(RETRY_BUDGET_EXHAUSTED, by=_HOST, where=CHOSEN), (SERVICE_NAME, SERVER_ADDRESS)),
        ),
        TimeSeries(
            key="degraded",
            title="Answers with less",
            help="Answers a second that lack something, by what and why.",
            act="Users see these: find the reason's cause, and decide whether the feature should be switched off meanwhile.",
            missing=NO_PATTERN,
            unit=Unit.REQUESTS_PER_SECOND,
            stacked=True,
            queries=where_used(
                rate(DEGRADED_RESPONSES, by=[SERVICE_NAME, FEATURE, DEGRADED_REASON], where=CHOSEN),
                (SERVICE_NAME, FEATURE, DEGRADED_REASON),
            ),
        ),
        TimeSeries(
            key="shed",
            title="Requests turned away",
            help="Requests a second that the service refused to save the others, by reason.",
            act="concurrency: add workers or find what holds them; queue_time: requests wait in front of them; deadline: callers give up.",
            missing=NO_PATTERN,
            unit=Unit.REQUESTS_PER_SECOND,
            stacked=True,
            queries=where_used(rate(LOAD_SHED, by=[SERVICE_NAME, SHED_REASON], where=CHOSEN), (SERVICE_NAME, SHED_REASON)),
        ),
        TimeSeries(
            key="idempotency",
            title="Idempotency keys",
            help="Requests with a key a second, by what the key turned out to be.",
            act="Many replays: a caller's timeout is shorter than the work. Conflicts: a caller uses one key for different requests.",
            missing=NO_PATTERN,
            unit=Unit.REQUESTS_PER_SECOND,
            stacked=True,
            queries=where_used(
                rate(IDEMPOTENCY_REQUESTS, by=[SERVICE_NAME, IDEMPOTENCY_OUTCOME], where=CHOSEN), (SERVICE_NAME, IDEMPOTENCY_OUTCOME)
            ),
        ),
    ),
)

BOARD: Final = Dashboard(
    fact=RESILIENCE,
    variables=(ENVIRONMENT, SERVICE),
    annotations=(DEPLOYS, FIRING),
    rows=(HEALTH, FAILURES),
)
