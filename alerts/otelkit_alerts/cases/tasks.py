"""TaskWorkersMissing and TasksDelayed: a queue that nobody works off, and one that is only busy."""

from __future__ import annotations

from otelkit.catalog.labels import QUEUE, SERVICE_INSTANCE_ID
from otelkit.catalog.metrics import TASK_QUEUE_DEPTH, TASK_QUEUE_OLDEST_AGE, WORKER_UP, Metric
from otelkit.catalog.naming import series_name
from otelkit_alerts.cases.model import Case, Check, Firing, Input, Service, Situation, Suite, series
from otelkit_alerts.groups import alerts
from otelkit_alerts.pace import PRODUCTION

SERVICE = Service()
MISSING, DELAYED = "TaskWorkersMissing", "TasksDelayed"
_MISSING, _DELAYED = (next(alert for alert in alerts(PRODUCTION) if alert.name == name) for name in (MISSING, DELAYED))
_BY_QUEUE = {**SERVICE.labels, QUEUE: "mail"}


def _said(metric: Metric, values: str, worker: str = "web:0", service: Service = SERVICE) -> Input:
    return Input(series(series_name(metric), {**service.labels, QUEUE: "mail", SERVICE_INSTANCE_ID: worker}), values)


MISSING_CASES = (
    Case(
        MISSING,
        Situation.FIRING,
        "fires when the workers are gone, and those who send still ask the broker",
        (_said(TASK_QUEUE_DEPTH, "0x9 1+1x40"), _said(WORKER_UP, "1x9", "worker:0")),
        # What a worker said last is believed for five minutes.
        (Check("9m"), Check("17m"), Check("22m", (Firing(_MISSING, _BY_QUEUE, "13"),))),
    ),
    Case(
        MISSING,
        Situation.FIRING,
        "fires when the broker knows of no consumer",
        (_said(TASK_QUEUE_DEPTH, "3x40"), _said(WORKER_UP, "0x40")),
        (Check("4m"), Check("6m", (Firing(_MISSING, _BY_QUEUE, "3"),))),
    ),
    Case(
        MISSING,
        Situation.SILENT,
        "is quiet about a queue that is long, but worked off",
        (_said(TASK_QUEUE_DEPTH, "500x60"), _said(WORKER_UP, "1x60", "worker:0")),
        (Check("30m"), Check("60m")),
    ),
    Case(
        MISSING,
        Situation.SILENT,
        "is quiet when another service does what this one sends",
        (_said(TASK_QUEUE_DEPTH, "5x60"), _said(WORKER_UP, "1x60", "worker:0", Service("post"))),
        (Check("30m"), Check("60m")),
    ),
    Case(MISSING, Situation.ABSENT, "is quiet when nothing is known", (), (Check("30m"),)),
    Case(
        MISSING,
        Situation.LOW_TRAFFIC,
        "is quiet where nothing waits, and nobody is there to take it",
        (_said(TASK_QUEUE_DEPTH, "0x60"), _said(WORKER_UP, "0x60")),
        (Check("30m"), Check("60m")),
    ),
    Case(
        MISSING,
        Situation.RECOVERY,
        "clears as soon as a worker takes the queue",
        (_said(TASK_QUEUE_DEPTH, "9x40"), _said(WORKER_UP, "0x19 1x20")),
        (Check("15m", (Firing(_MISSING, _BY_QUEUE, "9"),)), Check("22m"), Check("38m")),
    ),
)

DELAYED_CASES = (
    Case(
        DELAYED,
        Situation.FIRING,
        "fires when the oldest task waits for longer and longer, by what any process says",
        (_said(TASK_QUEUE_OLDEST_AGE, "0x9 0+60x30"), _said(TASK_QUEUE_OLDEST_AGE, "0x9 0+60x30", "web:1")),
        (Check("14m"), Check("19m"), Check("25m", (Firing(_DELAYED, _BY_QUEUE, "15m 0s"),))),
    ),
    Case(
        DELAYED,
        Situation.SILENT,
        "is quiet while tasks wait some minutes",
        (_said(TASK_QUEUE_OLDEST_AGE, "0 30 120 290 0 10 299x60"),),
        (Check("30m"), Check("60m")),
    ),
    Case(DELAYED, Situation.ABSENT, "is quiet when nothing is known, as with RabbitMQ", (), (Check("30m"),)),
    Case(DELAYED, Situation.LOW_TRAFFIC, "is quiet where nothing waits", (_said(TASK_QUEUE_OLDEST_AGE, "0x60"),), (Check("60m"),)),
    Case(
        DELAYED,
        Situation.RECOVERY,
        "clears when the queue has been worked off",
        (_said(TASK_QUEUE_OLDEST_AGE, "0+60x20 0x30"),),
        (Check("15m", (Firing(_DELAYED, _BY_QUEUE, "15m 0s"),)), Check("22m"), Check("50m")),
    ),
)

SUITE = Suite("Tasks.", PRODUCTION, "1m", (*MISSING_CASES, *DELAYED_CASES))
