"""The API as a contract: versions, clients and violations; feature flags."""

from __future__ import annotations

from otelkit.catalog.labels import HTTP_ROUTE
from otelkit.catalog.labels.model import Label
from otelkit.catalog.metrics.model import Kind, Metric

API_VERSION = Label("api.version", "Version of the API that was asked. Ours.")
API_DEPRECATED = Label("api.deprecated", "Whether that version has an end. Ours.", ("true", "false"))
CLIENT_NAME = Label("client.name", "Who asked, of the clients that the settings know; `_OTHER` for others. Ours.")
DIRECTION = Label("direction", "Whose message broke the contract. Ours.", ("request", "response"))
FEATURE_FLAG_KEY = Label("feature_flag.key", "Name of the flag.")
FEATURE_FLAG_RESULT_VARIANT = Label("feature_flag.result.variant", "What the flag turned out to be.")

API_REQUESTS = Metric(
    "api.requests", Kind.COUNTER, "{request}", "Requests by version and client.", (API_VERSION, API_DEPRECATED, CLIENT_NAME)
)
API_SUNSET_TIME = Metric("api.sunset.time", Kind.GAUGE, "s", "Unix time at which the version ends.", (API_VERSION,))
API_CONTRACT_VIOLATIONS = Metric(
    "api.contract.violations", Kind.COUNTER, "{violation}", "Messages that the schema does not allow.", (HTTP_ROUTE, DIRECTION)
)
FEATURE_FLAG_EVALUATIONS = Metric(
    "feature_flag.evaluations",
    Kind.COUNTER,
    "{evaluation}",
    "Times that code asked for a flag.",
    (FEATURE_FLAG_KEY, FEATURE_FLAG_RESULT_VARIANT),
)
