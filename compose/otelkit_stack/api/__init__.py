"""The stack's HTTP APIs for reading: its own, and those of Prometheus, Loki and Tempo that Grafana and command lines use."""
