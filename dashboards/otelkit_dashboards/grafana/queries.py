"""Queries as Grafana's targets."""

from __future__ import annotations

from otelkit.catalog.naming import label_name
from otelkit_dashboards.grafana.sdk import Dataquery, loki, prometheus, tempo
from otelkit_dashboards.grafana.sources import SOURCES
from otelkit_dashboards.panels import Heatmap, Language, Logs, Panel, Query, Table, TraceView
from otelkit_dashboards.style import MIN_STEP

MAX_LINES = 100
MAX_TRACES = 100


def target(query: Query, panel: Panel) -> Dataquery:
    """The query as one target of the panel; its key is the refId."""
    match query.language:
        case Language.PROMQL:
            return _prometheus(query, panel)
        case Language.LOGQL:
            return _loki(query, panel)
        case Language.TRACEQL:
            return _tempo(query, panel)


def legend(query: Query) -> str:
    """The legend as a template: labels become ``{{http_route}}``."""
    if isinstance(query.legend, str):
        return query.legend
    return " ".join(f"{{{{{label_name(label)}}}}}" for label in query.legend)


def _prometheus(query: Query, panel: Panel) -> prometheus.Dataquery:
    form = prometheus.PromQueryFormat.TIME_SERIES
    if isinstance(panel, Table):
        form = prometheus.PromQueryFormat.TABLE
    elif isinstance(panel, Heatmap):
        form = prometheus.PromQueryFormat.HEATMAP
    return prometheus.Dataquery(
        datasource=SOURCES[Language.PROMQL].ref(),
        editor_mode=prometheus.QueryEditorMode.CODE,
        exemplar=query.exemplars,
        expr=str(query.expr),
        format_val=form,
        instant=query.instant,
        range_val=not query.instant,
        interval=MIN_STEP,
        # A heatmap's rows are named by their bounds, whatever the query's legend.
        legend_format="{{le}}" if isinstance(panel, Heatmap) else legend(query) or "__auto",
        ref_id=query.key,
    )


def _loki(query: Query, panel: Panel) -> loki.Dataquery:
    return loki.Dataquery(
        datasource=SOURCES[Language.LOGQL].ref(),
        editor_mode=loki.QueryEditorMode.CODE,
        expr=str(query.expr),
        legend_format=legend(query) or None,
        max_lines=MAX_LINES if isinstance(panel, Logs) else None,
        query_type=loki.LokiQueryType.INSTANT if query.instant else loki.LokiQueryType.RANGE,
        ref_id=query.key,
    )


def _tempo(query: Query, panel: Panel) -> tempo.Dataquery:
    one_trace = isinstance(panel, TraceView)
    return tempo.Dataquery(
        datasource=SOURCES[Language.TRACEQL].ref(),
        query=str(query.expr),
        # A trace's id is a TraceQL query too: Tempo's data source tells them apart by the characters.
        query_type=tempo.TempoQueryType.TRACEQL,
        table_type=None if one_trace else tempo.SearchTableType.TRACES,
        limit=None if one_trace else MAX_TRACES,
        ref_id=query.key,
    )
