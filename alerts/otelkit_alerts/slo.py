"""What the objectives are measured by: recording rules of one objective, at one pace.

Health probes are not excluded here because the kit does not record them at all. A service without requests has no ratio
(rather than NaN), one whose requests are all good has 0.
"""

from __future__ import annotations

from otelkit.catalog.labels import HTTP_RESPONSE_STATUS_CODE, SLO
from otelkit.catalog.metrics import HTTP_SERVER_REQUEST_DURATION, TARGET_INFO
from otelkit.catalog.naming import label_name
from otelkit.catalog.objectives import AVAILABILITY, LATENCY, LATENCY_THRESHOLD, Objective
from otelkit.catalog.promql import Expr, equals, matches, number, present, rate, within
from otelkit.catalog.recorded import (
    OWNED_SERVICE,
    SLO_BUDGET_REMAINING,
    SLO_OBJECTIVE,
    slo_bad,
    slo_errors,
    slo_requests,
    sum_over,
)
from otelkit_alerts.model import Recording
from otelkit_alerts.pace import Pace, seconds

_DAY = 86400
_METRIC = HTTP_SERVER_REQUEST_DURATION

FAILED = matches(HTTP_RESPONSE_STATUS_CODE, "5..")
"""The answers that AVAILABILITY counts as bad."""


def recordings(objective: Objective, pace: Pace) -> tuple[Recording, ...]:
    """Rates of all and of bad requests over the base window, and the ratio over every window of the pace."""
    base = base_window(pace)
    return (
        _labelled(objective, Recording(slo_requests(base), requests(base))),
        _labelled(objective, Recording(slo_bad(base), bad(objective, base))),
        *(_labelled(objective, Recording(slo_errors(window), _ratio(objective, window, base))) for window in windows(pace)),
    )


def budget_recordings(objective: Objective, pace: Pace) -> tuple[Recording, ...]:
    """The objective of each living service, and what is left of its error budget."""
    base = base_window(pace)
    of_objective = [equals(SLO, objective.name)]
    days = f"{objective.days}d"
    # Sums of rates, not a mean of ratios: a bad minute of the night weighs as much as its requests.
    spent = sum_over(slo_bad(base), days, where=of_objective) / (sum_over(slo_requests(base), days, where=of_objective) > 0)
    return (
        _labelled(objective, Recording(SLO_OBJECTIVE, objective.target * present(TARGET_INFO, by=OWNED_SERVICE))),
        _labelled(objective, Recording(SLO_BUDGET_REMAINING, number(1) - spent / objective.budget)),
    )


def windows(pace: Pace) -> tuple[str, ...]:
    """Every window of the pace's burn-rate table, shortest first."""
    return tuple(sorted({window for row in pace.burn_windows for window in (row.long, row.short)}, key=seconds))


def base_window(pace: Pace) -> str:
    """The shortest window: the one whose rates are recorded, for the windows that are too long to read raw series."""
    return windows(pace)[0]


def requests(window: str) -> Expr:
    """Requests a second of each service."""
    return rate(_METRIC, by=OWNED_SERVICE, window=window)


def bad(objective: Objective, window: str) -> Expr:
    """Requests a second that break the objective, 0 where none does. Raises ValueError for an objective without a measure."""
    if objective == AVAILABILITY:
        return rate(_METRIC, by=OWNED_SERVICE, where=[FAILED], window=window).or_else(number(0) * requests(window))
    if objective == LATENCY:
        # No "or 0" here: without buckets nothing is known about latency, and nothing must not look like good.
        return requests(window) - within(LATENCY_THRESHOLD, _METRIC, by=OWNED_SERVICE, window=window)
    raise ValueError(f"The objective {objective.name} has no measure; say in otelkit_alerts.slo.bad() which requests break it.")


def _ratio(objective: Objective, window: str, base: str) -> Expr:
    if seconds(window) < _DAY:
        return bad(objective, window) / (requests(window) > 0)
    # Days of raw series are millions of samples, twice a minute. Days of one recorded series are thousands.
    of_objective = [equals(SLO, objective.name)]
    return sum_over(slo_bad(base), window, where=of_objective) / (sum_over(slo_requests(base), window, where=of_objective) > 0)


def _labelled(objective: Objective, recording: Recording) -> Recording:
    return Recording(recording.series, recording.expr, {label_name(SLO): objective.name})
