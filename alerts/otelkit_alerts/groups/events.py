"""Events and sagas: what no request fails over, because it happens after the answer."""

from __future__ import annotations

from otelkit.catalog.boards import EVENTS
from otelkit.catalog.labels import (
    CONSUMER,
    DEPLOYMENT_ENVIRONMENT_NAME,
    INBOX_OUTCOME,
    MESSAGING_DESTINATION_NAME,
    OUTBOX_OUTCOME,
    SAGA,
    SAGA_OUTCOME,
    SAGA_STATE,
    SAGA_STEP,
    SAGA_STEP_OUTCOME,
)
from otelkit.catalog.metrics import (
    INBOX_PROCESSED,
    OUTBOX_OLDEST_AGE,
    OUTBOX_PUBLISHED,
    SAGA_ACTIVE,
    SAGA_COMPLETED,
    SAGA_OLDEST_AGE,
    SAGA_STEP_DURATION,
)
from otelkit.catalog.objectives import COMPENSATION_RATIO, OUTBOX_AGE, SAGA_AGE, TRAFFIC_FLOOR
from otelkit.catalog.promql import equals, increase, matches, maximum, rate
from otelkit.catalog.recorded import OWNED_SERVICE
from otelkit.catalog.recorded import SERVICE as SERVICE_LABELS
from otelkit_alerts.groups.about import AMOUNT, ENVIRONMENT, RATE, SERVICE, SHARE, THIS_SERVICE, of_alert, same, share_above
from otelkit_alerts.model import Alert, Category, Group, Severity
from otelkit_alerts.pace import Pace


def groups(pace: Pace) -> tuple[Group, ...]:
    """The group ``otelkit-events``."""
    events = (_stalled(pace), _consumer_stopped(pace), _dead(pace))
    return (Group("otelkit-events", pace.interval, (*events, _saga_failed(pace), _saga_stuck(pace), _compensated(pace))),)


def _stalled(pace: Pace) -> Alert:
    return Alert(
        name="EventsStalled",
        severity=Severity.CRITICAL,
        category=Category.EVENTS,
        # Every process asks the database for the age, so the largest is the newest.
        expr=maximum(OUTBOX_OLDEST_AGE, by=OWNED_SERVICE) > OUTBOX_AGE,
        hold=pace.stalled_hold,
        summary=f"Events of {SERVICE} in {ENVIRONMENT} do not reach the broker.",
        description=(
            f"The oldest event in the outbox of {SERVICE} has waited for {{{{ $value | humanizeDuration }}}}: other services do not learn "
            "what happened here. Look first whether a relay runs (`manage.py outbox relay`); if one does, its log says what it waits for."
        ),
        first_look=rate(OUTBOX_PUBLISHED, by=[MESSAGING_DESTINATION_NAME, OUTBOX_OUTCOME], where=THIS_SERVICE, window=pace.recent),
        board=EVENTS,
    )


def _consumer_stopped(pace: Pace) -> Alert:
    # Whatever became of an event, its consumer took it. How much waits only the broker knows, and each broker tells it in another way.
    before = rate(INBOX_PROCESSED, by=[*OWNED_SERVICE, CONSUMER], window=pace.traffic_before, offset=pace.recent)
    takes = rate(INBOX_PROCESSED, by=[*SERVICE_LABELS, CONSUMER], window=pace.recent) > 0
    sent = rate(OUTBOX_PUBLISHED, by=[DEPLOYMENT_ENVIRONMENT_NAME], where=[equals(OUTBOX_OUTCOME, "ok")], window=pace.recent) > 0
    return Alert(
        name="ConsumerStopped",
        # Nobody is woken: which events are for whom the metrics do not say, and a consumer of rare ones may have none for a while.
        severity=Severity.WARNING,
        category=Category.EVENTS,
        # Where nothing is sent, nothing is to be taken.
        expr=(before > TRAFFIC_FLOOR).unless_on((*SERVICE_LABELS, CONSUMER), takes).and_on((DEPLOYMENT_ENVIRONMENT_NAME,), sent),
        hold=pace.stalled_hold,
        summary=f"The consumer {of_alert(CONSUMER)} of {SERVICE} in {ENVIRONMENT} takes no events any more.",
        description=(
            f"{of_alert(CONSUMER)} took {RATE} events a second over the {pace.traffic_before} before, and none in the last {pace.recent}, "
            "although events are sent: they wait with the broker. Look first whether its process runs (`manage.py inbox consume`); if it "
            "does, it hangs in a handler, and its stack says where (`py-spy dump`)."
        ),
        first_look=rate(INBOX_PROCESSED, by=[CONSUMER, INBOX_OUTCOME], where=(*THIS_SERVICE, same(CONSUMER)), window=pace.recent),
        board=EVENTS,
    )


def _dead(pace: Pace) -> Alert:
    dead = equals(INBOX_OUTCOME, "dead")
    return Alert(
        name="EventsDead",
        severity=Severity.WARNING,
        category=Category.EVENTS,
        expr=increase(INBOX_PROCESSED, by=[*OWNED_SERVICE, CONSUMER], where=[dead], window=pace.dead_window) > 0,
        summary=f"The consumer {of_alert(CONSUMER)} of {SERVICE} in {ENVIRONMENT} gives events up.",
        description=(
            f"{of_alert(CONSUMER)} gave up about {AMOUNT} events in the last {pace.dead_window}, after its last attempt at each. "
            "Look first at `manage.py inbox dead`, which names the errors; `manage.py inbox replay` tries again what can go well now."
        ),
        first_look=increase(INBOX_PROCESSED, by=[CONSUMER, INBOX_OUTCOME], where=THIS_SERVICE, window=pace.dead_window),
        board=EVENTS,
    )


def _saga_failed(pace: Pace) -> Alert:
    failed = equals(SAGA_OUTCOME, "failed")
    return Alert(
        name="SagaFailed",
        severity=Severity.CRITICAL,
        category=Category.EVENTS,
        expr=increase(SAGA_COMPLETED, by=[*OWNED_SERVICE, SAGA], where=[failed], window=pace.dead_window) > 0,
        summary=f"Sagas {of_alert(SAGA)} of {SERVICE} in {ENVIRONMENT} are stuck halfway.",
        description=(
            f"About {AMOUNT} sagas {of_alert(SAGA)} could not be undone in the last {pace.dead_window}: some services keep what they did, "
            "others have taken it back. Look first at `manage.py saga failed`, which names the step and its error."
        ),
        first_look=maximum(SAGA_ACTIVE, by=[SAGA, SAGA_STATE], where=THIS_SERVICE),
        board=EVENTS,
    )


def _saga_stuck(pace: Pace) -> Alert:
    # Not "waiting": such a saga waits for an answer from outside, and has a time by which it gives up.
    moving = matches(SAGA_STATE, "running|compensating")
    return Alert(
        name="SagaStuck",
        severity=Severity.CRITICAL,
        category=Category.EVENTS,
        expr=maximum(SAGA_OLDEST_AGE, by=[*OWNED_SERVICE, SAGA], where=[moving]) > SAGA_AGE,
        hold=pace.stalled_hold,
        summary=f"Sagas {of_alert(SAGA)} of {SERVICE} in {ENVIRONMENT} do not get on.",
        description=(
            f"The oldest saga {of_alert(SAGA)} that waits for nobody outside is {{{{ $value | humanizeDuration }}}} old. "
            "Look first whether the sweeper runs (`manage.py saga sweep`), which takes up what a process left behind; "
            "then at the step that is tried again and again, and at what it calls."
        ),
        first_look=maximum(SAGA_OLDEST_AGE, by=[SAGA, SAGA_STATE], where=(*THIS_SERVICE, same(SAGA))),
        board=EVENTS,
    )


def _compensated(pace: Pace) -> Alert:
    by = [*OWNED_SERVICE, SAGA]
    ended = rate(SAGA_COMPLETED, by=by, window=pace.rare_window)
    undone = rate(SAGA_COMPLETED, by=by, where=[matches(SAGA_OUTCOME, "compensated|failed")], window=pace.rare_window)
    return Alert(
        name="CompensationRatioHigh",
        severity=Severity.WARNING,
        category=Category.EVENTS,
        expr=share_above(COMPENSATION_RATIO, undone, ended, by),
        hold=pace.stalled_hold,
        summary=f"Too many sagas {of_alert(SAGA)} of {SERVICE} in {ENVIRONMENT} are taken back.",
        description=(
            f"{SHARE} of the sagas {of_alert(SAGA)} that ended in the last {pace.rare_window} were undone: what users asked for did not "
            "happen. Look first which step fails; its trace shows what the other service answered."
        ),
        first_look=rate(SAGA_STEP_DURATION, by=[SAGA_STEP, SAGA_STEP_OUTCOME], where=(*THIS_SERVICE, same(SAGA)), window=pace.rare_window),
        board=EVENTS,
        measures_ratio=True,
    )
