"""Objectives, and what Prometheus writes into the series of an alert."""

from __future__ import annotations

from otelkit.catalog.labels.model import Label

SLO = Label("slo", "Objective that the series measures, by its name in `objectives`. Ours.", ("availability", "latency"))
ALERTNAME = Label("alertname", "Name of the alerting rule. Prometheus'.")
ALERTSTATE = Label("alertstate", "Whether the alert still waits or fires. Prometheus'.", ("pending", "firing"))
SEVERITY = Label("severity", "How soon somebody must look.", ("critical", "warning", "info", "none"))
