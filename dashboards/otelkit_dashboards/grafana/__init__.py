"""From our model to Grafana's JSON. The only place that knows Grafana's spelling.

Classic JSON of schema 42: every Grafana from 11 to 13 loads it from files, which the newer v2 schema does not everywhere.
"""

from otelkit_dashboards.grafana.exports import for_grafana_com, for_provisioning

__all__ = ["for_grafana_com", "for_provisioning"]
