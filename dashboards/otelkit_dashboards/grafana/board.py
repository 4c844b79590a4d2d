"""A whole board as Grafana's: its variables, rows, annotations and the way to the other boards."""

from __future__ import annotations

from collections.abc import Iterator

from otelkit.catalog.naming import label_name, series_name
from otelkit_dashboards.grafana.panels import grid, panel
from otelkit_dashboards.grafana.sdk import dashboard
from otelkit_dashboards.grafana.sources import SOURCES, Source
from otelkit_dashboards.layout import place, stable_id
from otelkit_dashboards.model import Annotation, Dashboard, TextVariable, Variable
from otelkit_dashboards.panels import Language
from otelkit_dashboards.style import COLOURS, REFRESH, TAGS


def build(board: Dashboard) -> dashboard.Dashboard:
    """The board in Grafana's classic model."""
    return dashboard.Dashboard(
        uid=board.fact.uid,
        title=board.fact.title,
        description=board.fact.help,
        tags=list(TAGS),
        timezone="browser",
        editable=False,
        graph_tooltip=dashboard.DashboardCursorSync.CROSSHAIR,
        time=dashboard.DashboardDashboardTime(from_val=f"now-{board.period}", to="now"),
        refresh=REFRESH,
        panels=list(_panels(board)),
        templating=dashboard.DashboardDashboardTemplating(list_val=list(_variables(board))),
        annotations=dashboard.AnnotationContainer(list_val=[_annotation(annotation) for annotation in board.annotations]),
        links=[_navigation()],
    )


def variable_query(variable: Variable) -> str:
    """Where the variable's choices come from, in the language of Grafana's Prometheus data source."""
    conditions = ", ".join(map(str, variable.where))
    selector = f"{series_name(variable.source)}{{{conditions}}}" if conditions else series_name(variable.source)
    return f"label_values({selector}, {label_name(variable.label)})"


def _panels(board: Dashboard) -> Iterator[dashboard.Panel | dashboard.RowPanel]:
    for placed in place(board):
        inside = [panel(drawn, spot, board.fact) for drawn, spot in placed.panels]
        yield dashboard.RowPanel(
            id_val=stable_id(board.fact.uid, placed.row.key),
            title=placed.row.title,
            collapsed=placed.row.collapsed,
            grid_pos=grid(placed.heading),
            panels=inside if placed.row.collapsed else [],
        )
        if not placed.row.collapsed:
            yield from inside


def _variables(board: Dashboard) -> Iterator[dashboard.VariableModel]:
    languages = {drawn.language for drawn in board.panels} | {Language.PROMQL}
    yield from (_source_variable(source) for language, source in SOURCES.items() if language in languages)
    for variable in board.variables:
        yield _query_variable(variable) if isinstance(variable, Variable) else _text_variable(variable)


def _source_variable(source: Source) -> dashboard.VariableModel:
    return dashboard.VariableModel(
        type_val=dashboard.VariableType.DATASOURCE, name=source.variable, label=source.label, query=source.plugin, refresh=_ON_LOAD
    )


def _query_variable(variable: Variable) -> dashboard.VariableModel:
    query = variable_query(variable)
    model = dashboard.VariableModel(
        type_val=dashboard.VariableType.QUERY,
        name=variable.name,
        label=variable.title,
        description=variable.help,
        datasource=SOURCES[Language.PROMQL].ref(),
        definition=query,
        query={"qryType": 1, "query": query, "refId": "PrometheusVariableQueryEditor-VariableQuery"},
        refresh=dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED,
        sort=dashboard.VariableSort.ALPHABETICAL_ASC,
        multi=variable.multi,
        include_all=variable.multi,
    )
    if variable.multi:
        model.all_value = variable.everything
        model.current = dashboard.VariableOption(selected=True, text=["All"], value=["$__all"])
    return model


def _text_variable(variable: TextVariable) -> dashboard.VariableModel:
    return dashboard.VariableModel(
        type_val=dashboard.VariableType.TEXTBOX,
        name=variable.name,
        label=variable.title,
        description=variable.help,
        query="",
        current=dashboard.VariableOption(selected=True, text="", value=""),
    )


def _annotation(annotation: Annotation) -> dashboard.AnnotationQuery:
    return dashboard.AnnotationQuery(
        name=annotation.title,
        datasource=SOURCES[Language.PROMQL].ref(),
        enable=annotation.shown,
        icon_color=COLOURS[annotation.tone],
        expr=str(annotation.expr),
        title_format=annotation.title,
        text_format=" ".join(f"{{{{{label_name(label)}}}}}" for label in annotation.text),
        step="60s",
    )


def _navigation() -> dashboard.DashboardLink:
    return dashboard.DashboardLink(
        type_val=dashboard.DashboardLinkType.DASHBOARDS,
        title="Boards",
        tooltip="The other boards, with the same choices and time range",
        icon="external link",
        tags=[TAGS[-1]],
        as_dropdown=True,
        include_vars=True,
        keep_time=True,
    )


_ON_LOAD = dashboard.VariableRefresh.ON_DASHBOARD_LOAD
