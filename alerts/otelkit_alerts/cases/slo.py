"""Burn alerts: each row of the table alone, because its neighbours' windows would hide a wrong one."""

from __future__ import annotations

from collections.abc import Callable

from otelkit.catalog.labels import SLO
from otelkit.catalog.objectives import AVAILABILITY, LATENCY, Objective
from otelkit.catalog.promql import equals
from otelkit.catalog.recorded import SLO_BUDGET_REMAINING, read, slo_errors
from otelkit_alerts.cases.arriving import answers, quick_answers
from otelkit_alerts.cases.model import Case, Check, Firing, Input, Sample, Service, Situation, Suite, counter
from otelkit_alerts.groups import alerts
from otelkit_alerts.model import Alert
from otelkit_alerts.pace import PRODUCTION, seconds

SERVICE = Service()
ERRORS, SLOW = "DjangoErrorBudgetBurn", "DjangoLatencyBudgetBurn"

Traffic = Callable[[int, int, int, int], tuple[Input, ...]]
"""Good and bad requests a minute, for so many minutes, then as many good ones for so many more."""


def failing(good: int, bad: int, minutes: int, calm: int = 0) -> tuple[Input, ...]:
    """Bad requests are answered with a 503; where there are none, there is no series of them either."""
    well = answers(SERVICE, counter((minutes, good), *(((calm, good),) if calm else ())))
    badly = answers(SERVICE, counter((minutes, bad), *(((calm, 0),) if calm else ())), status="503")
    return (well, badly) if bad else (well,)


def dawdling(good: int, bad: int, minutes: int, calm: int = 0) -> tuple[Input, ...]:
    """Bad requests are answered well, but too late."""
    after = ((calm, good),) if calm else ()
    return (answers(SERVICE, counter((minutes, good + bad), *after)), quick_answers(SERVICE, counter((minutes, good), *after)))


# Good and bad requests a minute that are enough for one row of BURN_WINDOWS and too few for the row above it.
FAILING_BY_ROW = ((80, 20, "20%"), (99, 1, "1%"), (249, 1, "0.4%"), (499, 1, "0.2%"))
DAWDLING_BY_ROW = ((80, 20, "20%"), (90, 10, "10%"), (96, 4, "4%"), (98, 2, "2%"))

_ALL_CLEAR = 390
"""Minutes after which the longest short window (6h) has forgotten what the cases do."""
_LONG = 200
"""Minutes after which every rule would have been held (3h)."""


def _row_cases(name: str, row: int, traffic: Traffic, mix: tuple[int, int, str]) -> tuple[Case, ...]:
    alert = rules(name)[row]
    good, bad, value = mix
    hold = seconds(alert.hold) // 60
    late = hold + 10
    firing = Firing(alert, SERVICE.labels, value)
    window = f"{alert.labels['long']} and {alert.labels['short']}"
    return (
        Case(
            name,
            Situation.FIRING,
            f"fires for {window} alone, after {alert.hold}, when {value} are bad",
            traffic(good, bad, late, 0),
            # A rate begins at the second sample: at this time the condition is a minute short of being held.
            (Check(f"{hold}m"), Check(f"{late}m", (firing,))),
        ),
        Case(
            name,
            Situation.RECOVERY,
            f"clears for {window} when all requests are good again",
            traffic(good, bad, late, _ALL_CLEAR - late),
            (Check(f"{late}m", (firing,)), Check(f"{_ALL_CLEAR}m")),
        ),
    )


def _cases(name: str, objective: Objective, traffic: Traffic, mixes: tuple[tuple[int, int, str], ...]) -> tuple[Case, ...]:
    rows = tuple(case for row, mix in enumerate(mixes) for case in _row_cases(name, row, traffic, mix))
    of_objective = [equals(SLO, objective.name)]
    ratio, left = read(slo_errors("1h"), where=of_objective), read(SLO_BUDGET_REMAINING, where=of_objective)
    measured, remaining = _recorded("service:slo_errors:ratio_rate1h", objective), _recorded(SLO_BUDGET_REMAINING.name, objective)
    tolerated = round(objective.budget * 10_000) // 2
    return (
        *rows,
        Case(
            name,
            Situation.FIRING,
            "pages for a short outage, and stops within ten minutes of its end",
            traffic(0, 100, 4, 16),
            (Check("4m", (Firing(rules(name)[0], SERVICE.labels, "100%"),)), Check("15m")),
        ),
        Case(
            name,
            Situation.SILENT,
            "is quiet about a healthy service, whose ratio is 0 and whose budget is whole",
            traffic(100, 0, _LONG, 0),
            (Check("1h"), Check(f"{_LONG}m")),
            (Sample("2h", ratio, ((measured, 0),)), Sample("2h", left, ((remaining, 1),))),
        ),
        Case(
            name,
            Situation.SILENT,
            "is quiet when half of the budget is spent, evenly",
            traffic(10_000 - tolerated, tolerated, _LONG, 0),
            (Check("1h"), Check(f"{_LONG}m")),
        ),
        Case(
            name,
            Situation.ABSENT,
            "is quiet, and nothing is recorded, when nothing is known",
            (),
            (Check(f"{_LONG}m"),),
            (Sample("2h", ratio), Sample("2h", left)),
        ),
        Case(
            name,
            Situation.ABSENT,
            "is quiet about an idle service, which has no ratio",
            tuple(Input(arriving.series, f"{total}x{_LONG}") for arriving, total in zip(traffic(9, 1, 1, 0), (9, 10), strict=True)),
            (Check(f"{_LONG}m"),),
            (Sample("2h", ratio),),
        ),
        Case(
            name,
            Situation.LOW_TRAFFIC,
            "is quiet when every request is bad, but there is one a minute",
            traffic(0, 1, _LONG, 0),
            (Check("30m"), Check(f"{_LONG}m")),
            (Sample("2h", ratio, ((measured, 1),)),),
        ),
    )


def rules(name: str) -> tuple[Alert, ...]:
    """The rules of that name, in the order of BURN_WINDOWS."""
    return tuple(alert for alert in alerts(PRODUCTION) if alert.name == name)


def _recorded(name: str, objective: Objective) -> str:
    return (
        f'{name}{{service_name="{SERVICE.name}",deployment_environment_name="{SERVICE.environment}",'
        f'service_owner="{SERVICE.owner}",slo="{objective.name}"}}'
    )


SUITE = Suite(
    "Error budgets.",
    PRODUCTION,
    "1m",
    (*_cases(ERRORS, AVAILABILITY, failing, FAILING_BY_ROW), *_cases(SLOW, LATENCY, dawdling, DAWDLING_BY_ROW)),
)
