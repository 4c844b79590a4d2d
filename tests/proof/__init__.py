"""What ships, proven on living services: the demo's telemetry in the real Prometheus, under the real Alertmanager's eyes."""
