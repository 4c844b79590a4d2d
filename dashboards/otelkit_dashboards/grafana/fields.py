"""How values look: units, thresholds, colours, links, and the overrides of single series or columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from otelkit.catalog.boards import BoardFact
from otelkit.catalog.naming import label_name
from otelkit_dashboards.grafana.sdk import common, dashboard
from otelkit_dashboards.panels import Column, Link, Panel, Stat, Table, Thresholds, TimeSeries, Tone, TraceList, Unit
from otelkit_dashboards.style import COLOURS, DECIMALS, NO_TRAFFIC, PALETTE

UNITS: Final = {
    Unit.COUNT: "short",
    Unit.SECONDS: "s",
    Unit.BYTES: "bytes",
    Unit.SHARE: "percentunit",
    Unit.REQUESTS_PER_SECOND: "reqps",
    Unit.OPERATIONS_PER_SECOND: "ops",
    Unit.EVENTS_PER_SECOND: "eps",
    Unit.CORES: "short",
    Unit.TIMES: "suffix:×",  # noqa: RUF001 - the sign of multiplication, which a reader expects after a factor
}

ROW_VALUE: Final = "__data.fields"
SERIES_VALUE: Final = "__field.labels"


def defaults(panel: Panel, board: BoardFact, custom: object | None) -> dashboard.FieldConfig:
    """What holds for all series of the panel."""
    config = dashboard.FieldConfig(custom=custom, no_value=panel.missing or None)
    if panel.unit is not None:
        config.unit = UNITS[panel.unit]
        config.decimals = DECIMALS.get(panel.unit)
        config.mappings = [_not_a_number()]
    if isinstance(panel, TimeSeries):
        config.min_val = None if panel.signed else 0
        config.color = dashboard.FieldColor(mode=dashboard.FieldColorModeId(PALETTE))
    elif isinstance(panel, Stat):
        config.color = _thresholds_colour() if panel.thresholds else _fixed(Tone.NEUTRAL)
    elif panel.unit is not None:
        config.color = _thresholds_colour()
    if panel.unit is not None:
        config.thresholds = thresholds(panel.thresholds)
    if not isinstance(panel, Table):
        config.links = [data_link(link, board, SERIES_VALUE) for link in panel.links]
    return config


def overrides(panel: Panel, board: BoardFact) -> list[dashboard.DashboardFieldConfigSourceOverrides]:
    """What differs for single series or columns."""
    special = [query for query in panel.queries if query.tone or query.dashed]
    found = [_override("byFrameRefID", query.key, dict(_line(query.tone, query.dashed))) for query in special]
    if isinstance(panel, TimeSeries):
        found += [_override("byName", name, dict(_line(tone, dashed=False))) for name, tone in panel.tones]
    elif isinstance(panel, Table):
        links = [data_link(link, board, ROW_VALUE) for link in panel.links]
        found += [_override("byName", title, {"links": links}) for _, title in panel.by[-1:] if links]
        found += [_override("byName", column.title, dict(_cell(column))) for column in panel.columns]
    elif isinstance(panel, TraceList) and panel.opens:
        title, variable = panel.opens
        here = f"/d/{board.uid}?${{__url_time_range}}"
        url = "&".join((here, f"var-{variable}=${{{ROW_VALUE}.traceID}}", *_carried(board, board, {variable})))
        # On the name, not on the id: Tempo's own link on the id, which opens the trace in Explore, stays.
        found.append(_override("byName", "traceName", {"links": [dashboard.DashboardLink(title=title, url=url)]}))
    return found


def thresholds(bounds: Thresholds | None) -> dashboard.ThresholdsConfig:
    """Steps from the lowest value up. Without bounds there is one step, of a colour that praises nobody."""
    steps: list[tuple[float | None, Tone]] = [(None, Tone.NEUTRAL)]
    if bounds and bounds.bad_below:
        rising = [(bounds.critical, Tone.BAD), (bounds.warning, Tone.WARNING)]
        present = [(bound, tone) for bound, tone in rising if bound is not None]
        after = [tone for _, tone in present[1:]] + [Tone.GOOD]
        steps = [(None, present[0][1]), *((bound, tone) for (bound, _), tone in zip(present, after, strict=True))]
    elif bounds:
        above = [(bounds.warning, Tone.WARNING), (bounds.critical, Tone.BAD)]
        steps = [(None, Tone.GOOD), *((bound, tone) for bound, tone in above if bound is not None)]
    return dashboard.ThresholdsConfig(
        mode=dashboard.ThresholdsMode.ABSOLUTE,
        steps=[dashboard.Threshold(value=bound, color=COLOURS[tone]) for bound, tone in steps],
    )


def data_link(link: Link, source: BoardFact, value: str) -> dashboard.DashboardLink:
    """The link as a URL that Grafana fills in when it is clicked; values are percent-encoded, for routes have slashes and braces."""
    filled = [f"var-{name}=${{{value}.{label_name(label)}:percentencode}}" for name, label in link.values]
    named = {name for name, _ in link.values}
    url = "&".join((f"/d/{link.board.uid}?${{__url_time_range}}", *filled, *_carried(source, link.board, named)))
    return dashboard.DashboardLink(title=link.title, url=url)


def _carried(source: BoardFact, board: BoardFact, named: set[str]) -> Iterator[str]:
    for name in board.variables:
        if name in source.variables and name not in named:
            yield f"${{{name}:queryparam}}"


def _override(matcher: str, options: str, properties: dict[str, object]) -> dashboard.DashboardFieldConfigSourceOverrides:
    return dashboard.DashboardFieldConfigSourceOverrides(
        matcher=dashboard.MatcherConfig(id_val=matcher, options=options),
        properties=[dashboard.DynamicConfigValue(id_val=name, value=value) for name, value in properties.items()],
    )


def _line(tone: Tone | None, dashed: bool) -> Iterator[tuple[str, object]]:
    if tone:
        yield "color", _fixed(tone)
    if dashed:
        yield "custom.lineStyle", common.LineStyle(fill="dash", dash=[8, 8])
        yield "custom.fillOpacity", 0


def _cell(column: Column) -> Iterator[tuple[str, object]]:
    yield "unit", UNITS[column.unit]
    decimals = DECIMALS.get(column.unit)
    if decimals is not None:
        yield "decimals", decimals
    if column.thresholds:
        yield "thresholds", thresholds(column.thresholds)
        yield "custom.cellOptions", {"type": "color-text"}


def _fixed(tone: Tone) -> dashboard.FieldColor:
    return dashboard.FieldColor(mode=dashboard.FieldColorModeId.FIXED, fixed_color=COLOURS[tone])


def _thresholds_colour() -> dashboard.FieldColor:
    return dashboard.FieldColor(mode=dashboard.FieldColorModeId.THRESHOLDS)


def _not_a_number() -> dashboard.SpecialValueMap:
    result = dashboard.ValueMappingResult(text=NO_TRAFFIC, color=COLOURS[Tone.MUTED], index=0)
    return dashboard.SpecialValueMap(
        options=dashboard.DashboardSpecialValueMapOptions(match=dashboard.SpecialValueMatch.NA_N, result=result),
    )
