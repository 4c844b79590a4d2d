"""Telemetry for the practices of microservices: a file for each, and a small implementation where no library carries the trace."""
