"""Health checks."""

from __future__ import annotations

from otelkit.catalog.labels.model import Label

HEALTH_CHECK = Label("check", "Name of the check, like `database`. Ours.")
