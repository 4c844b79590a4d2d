"""Prometheus' HTTP API over the samples of the store. Source: the answers of Prometheus 3.14."""
