"""Grafana's own models, imported without the warning that they are the classic ones: we choose them on purpose."""

import warnings

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "Prefer using dashboardv2", DeprecationWarning)
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.cog.variants import Dataquery
    from grafana_foundation_sdk.models import (
        bargauge,
        common,
        dashboard,
        heatmap,
        logs,
        loki,
        prometheus,
        stat,
        table,
        tempo,
        timeseries,
    )

__all__ = [
    "Dataquery",
    "JSONEncoder",
    "bargauge",
    "common",
    "dashboard",
    "heatmap",
    "logs",
    "loki",
    "prometheus",
    "stat",
    "table",
    "tempo",
    "timeseries",
]
