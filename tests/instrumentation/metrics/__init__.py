"""Tests of recording metrics: business metrics, the OpenTelemetry API, processes, and the pull road."""
