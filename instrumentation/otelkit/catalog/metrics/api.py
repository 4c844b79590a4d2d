"""The API as a contract: versions, clients and violations; feature flags."""

from __future__ import annotations

from otelkit.catalog import labels as l
from otelkit.catalog.metrics.model import Kind, Metric

API_REQUESTS = Metric(
    "api.requests", Kind.COUNTER, "{request}", "Requests by version and client.", (l.API_VERSION, l.API_DEPRECATED, l.CLIENT_NAME)
)
API_SUNSET_TIME = Metric("api.sunset.time", Kind.GAUGE, "s", "Unix time at which the version ends.", (l.API_VERSION,))
API_CONTRACT_VIOLATIONS = Metric(
    "api.contract.violations", Kind.COUNTER, "{violation}", "Messages that the schema does not allow.", (l.HTTP_ROUTE, l.DIRECTION)
)
FEATURE_FLAG_EVALUATIONS = Metric(
    "feature_flag.evaluations",
    Kind.COUNTER,
    "{evaluation}",
    "Times that code asked for a flag.",
    (l.FEATURE_FLAG_KEY, l.FEATURE_FLAG_RESULT_VARIANT),
)
