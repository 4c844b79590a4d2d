"""Sending telemetry over OTLP/HTTP: encode, send, and give up in a bounded time."""
