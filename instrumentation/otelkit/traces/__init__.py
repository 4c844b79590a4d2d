"""Spans: the OpenTelemetry provider, and the road from an ended span to the exporter."""
