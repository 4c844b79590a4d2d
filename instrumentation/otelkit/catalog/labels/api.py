"""The API as a contract, and feature flags."""

from __future__ import annotations

from otelkit.catalog.labels.model import Label

API_VERSION = Label("api.version", "Version of the API that was asked. Ours.")
API_DEPRECATED = Label("api.deprecated", "Whether that version has an end. Ours.", ("true", "false"))
CLIENT_NAME = Label("client.name", "Who asked, of the clients that the settings know; `_OTHER` for others. Ours.")
DIRECTION = Label("direction", "Whose message broke the contract. Ours.", ("request", "response"))
FEATURE_FLAG_KEY = Label("feature_flag.key", "Name of the flag.")
FEATURE_FLAG_RESULT_VARIANT = Label("feature_flag.result.variant", "What the flag turned out to be.")
