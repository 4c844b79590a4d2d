"""EventsStalled, ConsumerStopped, EventsDead and SagaFailed: what is lost from one service to the next, and what only waits its turn."""

from __future__ import annotations

from otelkit.catalog.labels import (
    CONSUMER,
    INBOX_OUTCOME,
    MESSAGING_DESTINATION_NAME,
    OUTBOX_OUTCOME,
    SAGA,
    SAGA_OUTCOME,
    SERVICE_INSTANCE_ID,
)
from otelkit.catalog.metrics import INBOX_PROCESSED, OUTBOX_OLDEST_AGE, OUTBOX_PUBLISHED, SAGA_COMPLETED
from otelkit.catalog.naming import series_name
from otelkit_alerts.cases.model import Case, Check, Firing, Input, Service, Situation, Suite, counter, series
from otelkit_alerts.groups import alerts
from otelkit_alerts.pace import PRODUCTION

SERVICE = Service()
STALLED, STOPPED, DEAD, SAGA_FAILED = "EventsStalled", "ConsumerStopped", "EventsDead", "SagaFailed"
_STALLED, _STOPPED, _DEAD, _SAGA = (
    next(alert for alert in alerts(PRODUCTION) if alert.name == name) for name in (STALLED, STOPPED, DEAD, SAGA_FAILED)
)
SENDER = Service("warehouse")
_BY_CONSUMER = {**SERVICE.labels, CONSUMER: "shipping"}
_BY_SAGA = {**SERVICE.labels, SAGA: "place_order"}


def _age(values: str, worker: str = "host:1") -> Input:
    return Input(series(series_name(OUTBOX_OLDEST_AGE), {**SERVICE.labels, SERVICE_INSTANCE_ID: worker}), values)


def _taken(values: str, outcome: str) -> Input:
    return Input(series(series_name(INBOX_PROCESSED), {**_BY_CONSUMER, INBOX_OUTCOME: outcome}), values)


def _sent(values: str) -> Input:
    labels = {**SENDER.labels, MESSAGING_DESTINATION_NAME: "parcels", OUTBOX_OUTCOME: "ok"}
    return Input(series(series_name(OUTBOX_PUBLISHED), labels), values)


def _stopped(value: str) -> tuple[Firing, ...]:
    return (Firing(_STOPPED, _BY_CONSUMER, value),)


def _ended(values: str, outcome: str) -> Input:
    return Input(series(series_name(SAGA_COMPLETED), {**_BY_SAGA, SAGA_OUTCOME: outcome}), values)


STALLED_CASES = (
    Case(
        STALLED,
        Situation.FIRING,
        "fires when no relay runs, by what any other process says",
        (_age("0x9 0+60x30"), _age("0x9 0+60x30", "host:2")),
        (Check("9m"), Check("14m"), Check("20m", (Firing(_STALLED, SERVICE.labels, "10m 0s"),))),
    ),
    Case(
        STALLED,
        Situation.SILENT,
        "is quiet while events leave within a minute",
        (_age("0 30 5 59 0 1 44x60"),),
        (Check("30m"), Check("60m")),
    ),
    Case(STALLED, Situation.SILENT, "is quiet when the broker restarts", (_age("0x9 60 120 180 0x60"),), (Check("12m"), Check("30m"))),
    Case(STALLED, Situation.ABSENT, "is quiet when nothing is known", (), (Check("30m"),)),
    Case(STALLED, Situation.LOW_TRAFFIC, "is quiet where there are no events at all", (_age("0x120"),), (Check("60m"), Check("120m"))),
    Case(
        STALLED,
        Situation.RECOVERY,
        "clears when the relay has caught up",
        (_age("0+60x20 0x30"),),
        (Check("15m", (Firing(_STALLED, SERVICE.labels, "15m 0s"),)), Check("22m"), Check("50m")),
    ),
)

STOPPED_CASES = (
    Case(
        STOPPED,
        Situation.FIRING,
        "fires when a consumer hangs while another service goes on sending",
        (_sent(counter((120, 60))), _taken(counter((60, 60), (60, 0)), "ok")),
        (Check("60m"), Check("68m"), Check("71m", _stopped("0.90"))),
    ),
    Case(
        STOPPED,
        Situation.FIRING,
        "fires when its process is gone, whatever else of its service reports",
        (_sent(counter((120, 60))), _taken(f"{counter((60, 60))} _x60", "ok")),
        (Check("60m"), Check("71m", _stopped("0.91"))),
    ),
    Case(
        STOPPED,
        Situation.SILENT,
        "is quiet about a consumer when nobody sends",
        (_sent(counter((60, 60), (60, 0))), _taken(counter((60, 60), (60, 0)), "ok")),
        (Check("75m"), Check("110m")),
    ),
    Case(
        STOPPED,
        Situation.SILENT,
        "leaves a consumer to EventsDead that takes events and gets nowhere with them",
        (_sent(counter((120, 60))), _taken(counter((60, 60), (60, 0)), "ok"), _taken(counter((60, 0), (60, 60)), "failed")),
        (Check("75m"), Check("110m")),
    ),
    Case(STOPPED, Situation.ABSENT, "is quiet when nothing is known of consumers", (_sent(counter((60, 60))),), (Check("30m"),)),
    Case(
        STOPPED,
        Situation.LOW_TRAFFIC,
        "is quiet about a consumer that has an event a minute, and none for a while",
        (_sent(counter((120, 60))), _taken(counter((60, 1), (60, 0)), "ok")),
        (Check("75m"), Check("110m")),
    ),
    Case(
        STOPPED,
        Situation.RECOVERY,
        "clears with the first event that is taken",
        (_sent(counter((120, 60))), _taken(counter((60, 60), (15, 0), (45, 60)), "ok")),
        (Check("72m", _stopped("0.88")), Check("77m"), Check("110m")),
    ),
)

DEAD_CASES = (
    Case(
        DEAD,
        Situation.FIRING,
        "fires with the first event that is given up",
        (_taken(counter((120, 60)), "ok"), _taken("0x60 1x60", "dead")),
        (Check("60m"), Check("63m", (Firing(_DEAD, _BY_CONSUMER, "1"),))),
    ),
    Case(
        DEAD,
        Situation.SILENT,
        "is quiet about failures that are tried again, and about duplicates",
        (_taken(counter((120, 6)), "failed"), _taken(counter((120, 6)), "duplicate"), _taken("0x120", "dead")),
        (Check("30m"), Check("110m")),
    ),
    Case(DEAD, Situation.ABSENT, "is quiet when nothing is known", (), (Check("30m"),)),
    Case(DEAD, Situation.LOW_TRAFFIC, "is quiet where no event comes", (_taken("0x120", "ok"), _taken("0x120", "dead")), (Check("110m"),)),
    Case(
        DEAD,
        Situation.RECOVERY,
        "forgets it after an hour",
        (_taken("0x10 1x120", "dead"),),
        (Check("30m", (Firing(_DEAD, _BY_CONSUMER, "1"),)), Check("80m")),
    ),
)

SAGA_CASES = (
    Case(
        SAGA_FAILED,
        Situation.FIRING,
        "fires when a saga could not be undone",
        (_ended(counter((120, 6)), "ok"), _ended("0x60 1x60", "failed")),
        (Check("60m"), Check("63m", (Firing(_SAGA, _BY_SAGA, "1"),))),
    ),
    Case(
        SAGA_FAILED,
        Situation.SILENT,
        "is quiet about sagas that were undone",
        (_ended(counter((120, 6)), "compensated"), _ended("0x120", "failed")),
        (Check("30m"), Check("110m")),
    ),
    Case(SAGA_FAILED, Situation.ABSENT, "is quiet when nothing is known", (), (Check("30m"),)),
    Case(
        SAGA_FAILED,
        Situation.LOW_TRAFFIC,
        "is quiet where no saga runs",
        (_ended("0x120", "ok"), _ended("0x120", "failed")),
        (Check("110m"),),
    ),
    Case(
        SAGA_FAILED,
        Situation.RECOVERY,
        "forgets it after an hour",
        (_ended("0x10 1x120", "failed"),),
        (Check("30m", (Firing(_SAGA, _BY_SAGA, "1"),)), Check("80m")),
    ),
)

SUITE = Suite("Events.", PRODUCTION, "1m", (*STALLED_CASES, *STOPPED_CASES, *DEAD_CASES, *SAGA_CASES))
