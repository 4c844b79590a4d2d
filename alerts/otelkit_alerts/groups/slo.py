"""Error budgets: alerts that fire when a budget burns too fast, over a long and a short window at once.

Source of the method: Google SRE workbook, chapter 5, "Multiwindow, Multi-Burn-Rate Alerts".
"""

from __future__ import annotations

from otelkit.catalog.boards import SERVICE_OVERVIEW
from otelkit.catalog.labels import HTTP_RESPONSE_STATUS_CODE, HTTP_ROUTE, SLO
from otelkit.catalog.metrics import HTTP_SERVER_REQUEST_DURATION
from otelkit.catalog.naming import label_name
from otelkit.catalog.objectives import AVAILABILITY, LATENCY, LATENCY_THRESHOLD, OBJECTIVES, TRAFFIC_FLOOR, BurnWindow, Objective
from otelkit.catalog.promql import Expr, equals, number, quantile, rate
from otelkit.catalog.recorded import OWNED_SERVICE, average_over, read, slo_errors, slo_requests
from otelkit_alerts.groups.about import ENVIRONMENT, SERVICE, SHARE, THIS_SERVICE
from otelkit_alerts.model import Alert, Category, Group, Severity
from otelkit_alerts.pace import Pace
from otelkit_alerts.slo import FAILED, base_window, budget_recordings, recordings


def groups(pace: Pace) -> tuple[Group, ...]:
    """One group for each objective, with the series its alerts read, and one for the budgets of 30 days."""
    burn_alerts = {AVAILABILITY.name: _availability, LATENCY.name: _latency}
    return (
        *(
            Group(
                f"otelkit-slo-{objective.name}",
                pace.interval,
                (*recordings(objective, pace), *(burn_alerts[objective.name](row, pace) for row in pace.burn_windows)),
            )
            for objective in OBJECTIVES
        ),
        Group(
            "otelkit-slo-budget",
            pace.budget_interval,
            tuple(rule for objective in OBJECTIVES for rule in budget_recordings(objective, pace)),
        ),
    )


def _availability(row: BurnWindow, pace: Pace) -> Alert:
    return Alert(
        name="DjangoErrorBudgetBurn",
        severity=_severity(row),
        category=Category.SLO,
        expr=_burn(AVAILABILITY, row, pace),
        hold=row.hold,
        keep_firing=pace.keep_firing,
        labels=_labels(AVAILABILITY, row),
        summary=f"{SERVICE} in {ENVIRONMENT} fails too many requests.",
        description=(
            f"{SERVICE} answered {SHARE} of its requests of the last {row.long} with a 5xx: its error budget of {AVAILABILITY.days} days "
            f"is spent at least {row.factor:g} times too fast. Look first whether it began with a deploy, and roll that back; "
            "otherwise open the board and see whether one route fails or all."
        ),
        first_look=rate(
            HTTP_SERVER_REQUEST_DURATION, by=[HTTP_ROUTE, HTTP_RESPONSE_STATUS_CODE], where=[*THIS_SERVICE, FAILED], window=pace.recent
        ),
        board=SERVICE_OVERVIEW,
        measures_ratio=True,
    )


def _latency(row: BurnWindow, pace: Pace) -> Alert:
    return Alert(
        name="DjangoLatencyBudgetBurn",
        severity=_severity(row),
        category=Category.SLO,
        expr=_burn(LATENCY, row, pace),
        hold=row.hold,
        keep_firing=pace.keep_firing,
        labels=_labels(LATENCY, row),
        summary=f"{SERVICE} in {ENVIRONMENT} answers too many requests slowly.",
        description=(
            f"{SHARE} of the requests that {SERVICE} answered in the last {row.long} took longer than {LATENCY_THRESHOLD:g} s: "
            f"its latency budget of {LATENCY.days} days is spent at least {row.factor:g} times too fast. Look first whether one route "
            "is slow or all: one points at its view and its queries, all at the database, a service it calls, or too few workers."
        ),
        first_look=quantile(0.95, HTTP_SERVER_REQUEST_DURATION, by=[HTTP_ROUTE], where=THIS_SERVICE, window=pace.recent),
        board=SERVICE_OVERVIEW,
        measures_ratio=True,
    )


def _burn(objective: Objective, row: BurnWindow, pace: Pace) -> Expr:
    of_objective = [equals(SLO, objective.name)]
    # The factor and the budget stay apart, so that who reads the rule sees where the threshold comes from.
    threshold = number(row.factor) * objective.budget
    traffic = average_over(slo_requests(base_window(pace)), row.long, where=of_objective) > TRAFFIC_FLOOR
    return (
        (read(slo_errors(row.long), where=of_objective) > threshold)
        .and_on(OWNED_SERVICE, read(slo_errors(row.short), where=of_objective) > threshold)
        .and_on(OWNED_SERVICE, traffic)
    )


def _severity(row: BurnWindow) -> Severity:
    return Severity.CRITICAL if row.pages else Severity.WARNING


def _labels(objective: Objective, row: BurnWindow) -> dict[str, str]:
    return {label_name(SLO): objective.name, "long": row.long, "short": row.short}
