"""Loki's HTTP API over the log records of the store: what Grafana's data source and logcli ask for. Source: the answers of Loki 3.7.8."""
