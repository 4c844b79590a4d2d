"""Every metric that a service with otelkit records: name, kind, unit, help and labels, once.

Recording, drawing and alerting start from these objects. To add one, write it into the file of its subject, and nowhere else; all are
importable from here. What has a name but no recorder yet is in :mod:`otelkit.catalog.ahead`.
"""

from otelkit.catalog.metrics import (
    access,
    api,
    commands,
    database,
    django,
    health,
    http,
    messaging,
    others,
    outbox,
    process,
    resilience,
    saga,
    tasks,
    telemetry,
    websockets,
)
from otelkit.catalog.metrics.access import *
from otelkit.catalog.metrics.api import *
from otelkit.catalog.metrics.commands import *
from otelkit.catalog.metrics.database import *
from otelkit.catalog.metrics.django import *
from otelkit.catalog.metrics.health import *
from otelkit.catalog.metrics.http import *
from otelkit.catalog.metrics.messaging import *
from otelkit.catalog.metrics.model import *
from otelkit.catalog.metrics.others import *
from otelkit.catalog.metrics.outbox import *
from otelkit.catalog.metrics.process import *
from otelkit.catalog.metrics.resilience import *
from otelkit.catalog.metrics.saga import *
from otelkit.catalog.metrics.tasks import *
from otelkit.catalog.metrics.telemetry import *
from otelkit.catalog.metrics.websockets import *

SUBJECTS: tuple[Subject, ...] = tuple(
    map(
        subject_of,
        (http, websockets, django, database, outbox, saga, tasks, messaging, commands, process, health, resilience, access, api, telemetry),
    )
)
"""The metrics by the file that declares them."""

METRICS: tuple[Metric, ...] = tuple(metric for subject in SUBJECTS for metric in subject.metrics)
"""Every metric that a service with otelkit emits."""

OTHERS: tuple[Metric, ...] = subject_of(others).metrics
"""What boards and rules may read besides: no service sends these."""
