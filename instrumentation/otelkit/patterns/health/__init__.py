"""Health: ``/livez``, ``/readyz`` and ``/startupz`` that check what this service owns, each within a time, and say so in metrics.

from otelkit.patterns import health

urlpatterns = [*health.urls(ready=[health.database(), health.cache("sessions"), health.check("model", model_is_loaded)])]
"""

from otelkit.patterns.health.checks import Check, cache, check, database, migrations
from otelkit.patterns.health.probe import Probe, Report
from otelkit.patterns.health.urls import urls
from otelkit.patterns.health.watch import Result

__all__ = ["Check", "Probe", "Report", "Result", "cache", "check", "database", "migrations", "urls"]
