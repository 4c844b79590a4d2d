"""Events: what waits in the outbox, what reaches its consumers, and how sagas end."""

from __future__ import annotations

from typing import Final

from otelkit.catalog.boards import EVENTS
from otelkit.catalog.labels import (
    CONSUMER,
    INBOX_OUTCOME,
    MESSAGING_DESTINATION_NAME,
    OUTBOX_OUTCOME,
    SAGA,
    SAGA_OUTCOME,
    SAGA_STATE,
    SAGA_STEP,
    SAGA_STEP_OUTCOME,
    SERVICE_NAME,
)
from otelkit.catalog.metrics import (
    INBOX_PROCESSED,
    OUTBOX_OLDEST_AGE,
    OUTBOX_PENDING,
    OUTBOX_PUBLISH_LAG,
    OUTBOX_PUBLISHED,
    SAGA_ACTIVE,
    SAGA_COMPLETED,
    SAGA_OLDEST_AGE,
    SAGA_STARTED,
    SAGA_STEP_DURATION,
)
from otelkit.catalog.objectives import OUTBOX_AGE
from otelkit.catalog.promql import RANGE, equals, increase, maximum, quantile, rate
from otelkit_dashboards.boards.choices import CHOSEN, DEPLOYS, ENVIRONMENT, FIRING, SERVICE
from otelkit_dashboards.boards.guards import or_zero, where_used
from otelkit_dashboards.model import Dashboard, Row
from otelkit_dashboards.panels import Exemption, Query, Stat, Thresholds, TimeSeries, Unit

NO_EVENTS: Final = "No service reports here: it is off, or its metrics do not arrive."
_NO_OBJECTIVE: Final = Exemption("threshold-is-objective", "Any at all is wrong; there is no objective to take a number from.")
_STANDING: Final = (SERVICE_NAME, SAGA, SAGA_STATE)
_ENDED: Final = (SERVICE_NAME, SAGA, SAGA_OUTCOME)
_STEPS: Final = (SERVICE_NAME, SAGA, SAGA_STEP, SAGA_STEP_OUTCOME)
_SENT: Final = (SERVICE_NAME, MESSAGING_DESTINATION_NAME, OUTBOX_OUTCOME)
_TAKEN: Final = (SERVICE_NAME, CONSUMER, INBOX_OUTCOME)

VERDICT: Final = Row(
    "verdict",
    "Do events arrive?",
    (
        Stat(
            key="oldest-event",
            title="Oldest event that waits",
            help="How long the oldest event of any outbox has waited for the broker; 0 where none waits.",
            act="Growing by a second a second: no relay runs, or the broker is away. Its log says which.",
            missing=NO_EVENTS,
            unit=Unit.SECONDS,
            thresholds=Thresholds(critical=OUTBOX_AGE),
            queries=(Query(or_zero(maximum(OUTBOX_OLDEST_AGE, where=CHOSEN))),),
        ),
        Stat(
            key="dead",
            title="Events given up",
            help="Events within the time range that a consumer gave up after its last attempt.",
            act="`manage.py inbox dead` lists them with their errors; when the cause is mended, `manage.py inbox replay` tries them again.",
            missing=NO_EVENTS,
            unit=Unit.COUNT,
            thresholds=Thresholds(critical=1),
            exemptions=(_NO_OBJECTIVE,),
            queries=(
                Query(or_zero(increase(INBOX_PROCESSED, where=(*CHOSEN, equals(INBOX_OUTCOME, "dead")), window=RANGE)), instant=True),
            ),
        ),
    ),
)

OUTBOX: Final = Row(
    "outbox",
    "Out: from the transaction to the broker",
    (
        TimeSeries(
            key="pending",
            title="Events that wait",
            help="Events that are stored and not yet sent, by service.",
            act="Growing while events are sent: one relay is not enough, so start another. Growing while none are: see the errors below.",
            missing=NO_EVENTS,
            unit=Unit.COUNT,
            queries=where_used(maximum(OUTBOX_PENDING, by=[SERVICE_NAME], where=CHOSEN), (SERVICE_NAME,)),
        ),
        TimeSeries(
            key="age",
            title="Age of the oldest",
            help="How long the oldest event has waited, by service.",
            act="A saw-tooth that stays low is health; a straight line upwards is a relay that does not run, or one event that is refused.",
            missing=NO_EVENTS,
            unit=Unit.SECONDS,
            thresholds=Thresholds(critical=OUTBOX_AGE),
            queries=where_used(maximum(OUTBOX_OLDEST_AGE, by=[SERVICE_NAME], where=CHOSEN), (SERVICE_NAME,)),
        ),
        TimeSeries(
            key="published",
            title="Events sent",
            help="Events a second that were given to the broker, by destination and by whether it took them.",
            act="Errors at one destination: nobody has declared a queue there, or the event is too large. At all: the broker is away.",
            missing=NO_EVENTS,
            unit=Unit.EVENTS_PER_SECOND,
            stacked=True,
            queries=where_used(rate(OUTBOX_PUBLISHED, by=_SENT, where=CHOSEN), _SENT),
        ),
        TimeSeries(
            key="lag",
            title="Lag, p95",
            help="Time within which 95 of 100 events get from their transaction to the broker.",
            act="Steady and high: the relay's pause between two looks (events.poll). Rising with the load: add a relay.",
            missing=NO_EVENTS,
            unit=Unit.SECONDS,
            queries=where_used(quantile(0.95, OUTBOX_PUBLISH_LAG, by=[SERVICE_NAME], where=CHOSEN), (SERVICE_NAME,)),
        ),
    ),
)

INBOX: Final = Row(
    "inbox",
    "In: from the broker to its effect",
    (
        TimeSeries(
            key="processed",
            title="Events taken",
            help="Events a second by consumer and by what became of them; a duplicate was delivered twice and had its effect once.",
            act="Failed: the consumer's log has the exceptions. Early for long: an event before these is missing. Duplicates do no harm.",
            missing=NO_EVENTS,
            unit=Unit.EVENTS_PER_SECOND,
            stacked=True,
            queries=where_used(rate(INBOX_PROCESSED, by=_TAKEN, where=CHOSEN), _TAKEN),
        ),
    ),
)

SAGAS: Final = Row(
    "sagas",
    "Sagas",
    (
        TimeSeries(
            key="sagas-active",
            title="Sagas under way",
            help="Sagas that have begun and not ended, by where they stand.",
            act="Waiting ones pile up: whoever should answer does not. Compensating ones: an undo fails, and its error is in the log.",
            missing=NO_EVENTS,
            unit=Unit.COUNT,
            queries=where_used(maximum(SAGA_ACTIVE, by=_STANDING, where=CHOSEN), _STANDING),
        ),
        TimeSeries(
            key="sagas-oldest",
            title="Oldest saga",
            help="Age of the oldest saga under way, by where it stands.",
            act="Past the saga's timeout: no sweeper runs. Start `manage.py saga sweep`, which turns it back.",
            missing=NO_EVENTS,
            unit=Unit.SECONDS,
            queries=where_used(maximum(SAGA_OLDEST_AGE, by=_STANDING, where=CHOSEN), _STANDING),
        ),
        TimeSeries(
            key="sagas-started",
            title="Sagas begun",
            help="Sagas a second that begin, by kind.",
            act="Compare with those that end: what begins and does not end is still under way, or waits for somebody.",
            missing=NO_EVENTS,
            unit=Unit.EVENTS_PER_SECOND,
            queries=where_used(rate(SAGA_STARTED, by=[SERVICE_NAME, SAGA], where=CHOSEN), (SERVICE_NAME, SAGA)),
        ),
        TimeSeries(
            key="sagas-completed",
            title="How sagas end",
            help="Sagas a second that end: through, undone, or failed while they were undone.",
            act="Failed: somebody has to look, `manage.py saga failed` says at what. Many compensated: see below which step fails.",
            missing=NO_EVENTS,
            unit=Unit.EVENTS_PER_SECOND,
            stacked=True,
            queries=where_used(rate(SAGA_COMPLETED, by=_ENDED, where=CHOSEN), _ENDED),
        ),
        TimeSeries(
            key="saga-steps",
            title="Steps, p95",
            help="Time within which 95 of 100 steps end, by step and by how they ended.",
            act="One slow step holds its saga up; its spans show which call below it is slow.",
            missing=NO_EVENTS,
            unit=Unit.SECONDS,
            queries=where_used(quantile(0.95, SAGA_STEP_DURATION, by=_STEPS, where=CHOSEN), _STEPS),
        ),
    ),
)

BOARD: Final = Dashboard(
    fact=EVENTS,
    variables=(ENVIRONMENT, SERVICE),
    annotations=(DEPLOYS, FIRING),
    rows=(VERDICT, OUTBOX, INBOX, SAGAS),
)
