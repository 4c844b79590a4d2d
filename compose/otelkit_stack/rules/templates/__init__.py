"""The templates of alerts: Go's, with Prometheus' functions and data."""
