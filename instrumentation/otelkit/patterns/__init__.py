"""Telemetry of microservice patterns."""
