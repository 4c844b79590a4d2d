"""Celery's side of the kit: what is heard from its signals, where its messages go, and OpenTelemetry's own instrumentation beside ours."""
