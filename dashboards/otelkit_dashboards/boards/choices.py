"""What readers choose at the top of every board, and the moments that every board marks."""

from __future__ import annotations

from typing import Final

from otelkit.catalog.labels import ALERTNAME, ALERTSTATE, DEPLOYMENT_ENVIRONMENT_NAME, SERVICE_NAME, SERVICE_VERSION, SEVERITY
from otelkit.catalog.metrics import ALERTS, TARGET_INFO
from otelkit.catalog.promql import Matcher, equals, present
from otelkit_dashboards.model import Annotation, Variable
from otelkit_dashboards.panels import Tone

ENVIRONMENT: Final = Variable(
    name="environment",
    title="Environment",
    help="Where the services run.",
    label=DEPLOYMENT_ENVIRONMENT_NAME,
    source=TARGET_INFO,
    multi=True,
    # Not ".+": a service that names no environment is still seen under "All".
    everything=".*",
)
SERVICE: Final = Variable(
    name="service",
    title="Service",
    help="Services that sent telemetry within the time range.",
    label=SERVICE_NAME,
    source=TARGET_INFO,
    where=(ENVIRONMENT.chosen,),
    multi=True,
)

CHOSEN: Final[tuple[Matcher, ...]] = (SERVICE.chosen, ENVIRONMENT.chosen)
"""The conditions that make a query follow the reader's choice."""

_VERSION = [SERVICE_NAME, SERVICE_VERSION]

DEPLOYS: Final = Annotation(
    "Deploy",
    present(TARGET_INFO, by=_VERSION, where=CHOSEN).unless_on(_VERSION, present(TARGET_INFO, by=_VERSION, where=CHOSEN, offset="5m")),
    (SERVICE_NAME, SERVICE_VERSION),
    Tone.NEUTRAL,
    shown=True,
)
FIRING: Final = Annotation(
    "Alert",
    present(ALERTS, by=[ALERTNAME, SEVERITY, SERVICE_NAME], where=(equals(ALERTSTATE, "firing"), *CHOSEN)),
    (SEVERITY, ALERTNAME, SERVICE_NAME),
    Tone.BAD,
    shown=False,
)
