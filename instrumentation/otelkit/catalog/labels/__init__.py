"""Label names, with their allowed values where the set is closed: a file for each subject, all of them importable from here.

Names are OpenTelemetry attribute names; :mod:`otelkit.catalog.naming` computes how Prometheus and Loki spell them.
Source: OpenTelemetry semantic conventions 1.37; names without a convention are ours and say so.
"""

from otelkit.catalog.labels.access import *
from otelkit.catalog.labels.alerting import *
from otelkit.catalog.labels.api import *
from otelkit.catalog.labels.commands import *
from otelkit.catalog.labels.database import *
from otelkit.catalog.labels.django import *
from otelkit.catalog.labels.health import *
from otelkit.catalog.labels.http import *
from otelkit.catalog.labels.messaging import *
from otelkit.catalog.labels.model import *
from otelkit.catalog.labels.process import *
from otelkit.catalog.labels.resilience import *
from otelkit.catalog.labels.resource import *
from otelkit.catalog.labels.saga import *
from otelkit.catalog.labels.spans import *
from otelkit.catalog.labels.tasks import *
from otelkit.catalog.labels.telemetry import *
from otelkit.catalog.labels.websockets import *
