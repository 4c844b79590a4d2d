"""Panels as Grafana's: the plugin that draws each kind, and its options."""

from __future__ import annotations

from otelkit.catalog.boards import BoardFact
from otelkit.catalog.naming import label_name
from otelkit_dashboards.grafana.fields import UNITS, defaults, overrides
from otelkit_dashboards.grafana.queries import target
from otelkit_dashboards.grafana.sdk import bargauge, common, dashboard, heatmap, logs, stat, table, timeseries
from otelkit_dashboards.grafana.sources import SOURCES
from otelkit_dashboards.layout import Place, stable_id
from otelkit_dashboards.panels import BarGauge, Heatmap, Language, Logs, Panel, Stat, Table, TimeSeries, TraceList, TraceView
from otelkit_dashboards.reading import metrics_in
from otelkit_dashboards.style import FILL_OPACITY, LEGEND_COLUMNS, LINE_WIDTH, STACKED_OPACITY


def panel(panel: Panel, place: Place, board: BoardFact) -> dashboard.Panel:
    """The panel at its place on the board."""
    plugin, options, custom = _drawn_by(panel)
    language = panel.language
    return dashboard.Panel(
        type_val=plugin,
        id_val=stable_id(board.uid, panel.key),
        title=panel.title,
        description=description(panel),
        datasource=SOURCES[language].ref() if language else None,
        targets=[target(query, panel) for query in panel.queries] if panel.queries else None,
        grid_pos=grid(place),
        options=options,
        field_config=dashboard.FieldConfigSource(defaults=defaults(panel, board, custom), overrides=overrides(panel, board)),
        transformations=_transformations(panel),
    )


def grid(place: Place) -> dashboard.GridPos:
    return dashboard.GridPos(h=place.height, w=place.width, x=place.x, y=place.y)


def description(panel: Panel) -> str | None:
    """What the panel shows, what to do, and which metrics it reads."""
    expressions = [query.expr.text for query in panel.queries if query.language is Language.PROMQL]
    names = dict.fromkeys(metric.name for expr in expressions for metric in metrics_in(expr))
    read = f"Reads {', '.join(f'`{name}`' for name in names)}." if names else ""
    return "\n\n".join(part for part in (panel.help, panel.act, read) if part) or None


def _drawn_by(panel: Panel) -> tuple[str, object, object | None]:
    """Plugin, its options, and its options per field."""
    match panel:
        case Stat():
            return "stat", _stat(panel), None
        case TimeSeries():
            return "timeseries", timeseries.Options(legend=_legend(), tooltip=_tooltip()), _line_style(panel)
        case Heatmap():
            return "heatmap", _heatmap(panel), heatmap.FieldConfig()
        case BarGauge():
            return "bargauge", _bar_gauge(), None
        case Table():
            return "table", _table(panel.columns[0].title), _cells()
        case TraceList():
            return "table", _table("Duration"), _cells()
        case Logs():
            return "logs", _logs(), None
        case TraceView():
            # The SDK has no model of this plugin, which has no options either.
            return "traces", {}, None
    raise TypeError(f'Panel "{panel.key}" is a {type(panel).__name__}, which no plugin here draws.')


def _stat(panel: Stat) -> stat.Options:
    instant = all(query.instant for query in panel.queries)
    return stat.Options(
        graph_mode=common.BigValueGraphMode.NONE if instant else common.BigValueGraphMode.AREA,
        color_mode=common.BigValueColorMode.BACKGROUND if panel.thresholds else common.BigValueColorMode.VALUE,
        reduce_options=common.ReduceDataOptions(calcs=["lastNotNull"], fields="", values=False),
    )


def _line_style(panel: TimeSeries) -> common.GraphFieldConfig:
    style = common.GraphFieldConfig(
        draw_style=common.GraphDrawStyle.BARS if panel.bars else common.GraphDrawStyle.LINE,
        line_width=0 if panel.bars else LINE_WIDTH,
        fill_opacity=STACKED_OPACITY if panel.stacked or panel.bars else FILL_OPACITY,
        show_points=common.VisibilityMode.NEVER if panel.bars else common.VisibilityMode.AUTO,
        span_nulls=False,
    )
    if panel.stacked:
        style.stacking = common.StackingConfig(mode=common.StackingMode.NORMAL, group="A")
    if panel.thresholds:
        style.thresholds_style = common.GraphThresholdsStyleConfig(mode=common.GraphThresholdsStyleMode.DASHED)
    return style


def _heatmap(panel: Heatmap) -> heatmap.Options:
    return heatmap.Options(
        calculate=False,
        color=heatmap.HeatmapColorOptions(
            mode=heatmap.HeatmapColorMode.SCHEME,
            scheme="Blues",
            fill="dark-blue",
            scale=heatmap.HeatmapColorScale.EXPONENTIAL,
            exponent=0.5,
            steps=64,
            reverse=True,
        ),
        # An empty bucket is background, not the palest blue.
        filter_values=heatmap.FilterValueRange(le=1e-9),
        rows_frame=heatmap.RowsHeatmapOptions(layout=common.HeatmapCellLayout.AUTO),
        y_axis=heatmap.YAxisConfig(unit=UNITS[panel.unit] if panel.unit else None, axis_placement=common.AxisPlacement.LEFT),
        legend=heatmap.HeatmapLegend(show=True),
        tooltip=heatmap.HeatmapTooltip(mode=common.TooltipDisplayMode.SINGLE, y_histogram=True, show_color_scale=True),
        exemplars=heatmap.ExemplarConfig(color="rgba(255,120,10,0.9)"),
        cell_gap=1,
    )


def _bar_gauge() -> bargauge.Options:
    return bargauge.Options(
        display_mode=common.BarGaugeDisplayMode.BASIC,
        orientation=common.VizOrientation.HORIZONTAL,
        name_placement=common.BarGaugeNamePlacement.LEFT,
        reduce_options=common.ReduceDataOptions(calcs=["lastNotNull"], fields="", values=False),
        legend=common.VizLegendOptions(
            display_mode=common.LegendDisplayMode.LIST, placement=common.LegendPlacement.BOTTOM, show_legend=False, calcs=[]
        ),
    )


def _table(sort_by: str) -> table.Options:
    return table.Options(sort_by=[common.TableSortByFieldState(display_name=sort_by, desc=True)])


def _cells() -> common.TableFieldOptions:
    return common.TableFieldOptions(cell_options=common.TableAutoCellOptions(), filterable=True)


def _logs() -> logs.Options:
    return logs.Options(show_time=True, wrap_log_message=True, enable_log_details=True)


def _legend() -> common.VizLegendOptions:
    return common.VizLegendOptions(
        display_mode=common.LegendDisplayMode.TABLE,
        placement=common.LegendPlacement.BOTTOM,
        show_legend=True,
        calcs=list(LEGEND_COLUMNS),
    )


def _tooltip() -> common.VizTooltipOptions:
    return common.VizTooltipOptions(mode=common.TooltipDisplayMode.MULTI, sort=common.SortOrder.DESCENDING)


def _transformations(panel: Panel) -> list[dashboard.DataTransformerConfig] | None:
    """One row per label set: Grafana gets a frame per column and must be told to join, name and order them."""
    if not isinstance(panel, Table):
        return None
    names = {label_name(label): title for label, title in panel.by}
    # Prometheus' data source drops the refId from the heading where there is one query.
    values = {f"Value #{column.key}" if len(panel.columns) > 1 else "Value": column.title for column in panel.columns}
    renamed = names | values
    organize = {
        "excludeByName": {"Time": True},
        "indexByName": {name: index for index, name in enumerate(renamed)},
        "renameByName": renamed,
    }
    return [
        dashboard.DataTransformerConfig(id_val="merge", options={}),
        dashboard.DataTransformerConfig(id_val="organize", options=organize),
    ]
