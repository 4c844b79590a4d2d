"""Data sources: the variable by which boards name them, and the input that grafana.com's form asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from otelkit_dashboards.grafana.sdk import common
from otelkit_dashboards.panels import Language


@dataclass(frozen=True, slots=True)
class Source:
    """One kind of data source. ``variable`` is the name that Grafana's dashboard linter expects."""

    variable: str
    label: str
    plugin: str
    plugin_name: str
    input: str

    @property
    def reference(self) -> str:
        """How a panel of the provisioned form names it."""
        return f"${{{self.variable}}}"

    @property
    def input_reference(self) -> str:
        """How a panel of the grafana.com form names it."""
        return f"${{{self.input}}}"

    def ref(self) -> common.DataSourceRef:
        return common.DataSourceRef(type_val=self.plugin, uid=self.reference)


SOURCES: Final = {
    Language.PROMQL: Source("prometheus_datasource", "Prometheus data source", "prometheus", "Prometheus", "DS_PROMETHEUS"),
    Language.LOGQL: Source("loki_datasource", "Loki data source", "loki", "Loki", "DS_LOKI"),
    Language.TRACEQL: Source("tempo_datasource", "Tempo data source", "tempo", "Tempo", "DS_TEMPO"),
}
