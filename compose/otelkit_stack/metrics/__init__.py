"""Samples of Prometheus series: compressed chunks on disk, the newest of each series in memory, and an index of their labels."""
