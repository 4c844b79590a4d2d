"""The two files that each board becomes: one for provisioning, one for grafana.com's import.

The provisioned form names its data sources by variables, so that one Grafana may hold several. The grafana.com form asks for
them once, while it is imported, and says which plugins it needs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from otelkit_dashboards.grafana.board import build
from otelkit_dashboards.grafana.sdk import JSONEncoder
from otelkit_dashboards.grafana.sources import SOURCES, Source
from otelkit_dashboards.model import Dashboard

Json = dict[str, Any]

OLDEST_GRAFANA: Final = "11.6.0"

# What the SDK writes although Grafana's model has no use for it there.
_LINK_KEYS: Final = ("title", "url", "targetBlank")
_AUTO_KEYS: Final = ("auto", "auto_min", "auto_count")
_PLUGIN_NAMES: Final = {
    "bargauge": "Bar gauge",
    "heatmap": "Heatmap",
    "logs": "Logs",
    "stat": "Stat",
    "table": "Table",
    "timeseries": "Time series",
    "traces": "Traces",
}


def for_provisioning(board: Dashboard) -> Json:
    """The board as a file that Grafana's provisioning, or its HTTP API, loads."""
    written: Json = json.loads(json.dumps(build(board), cls=JSONEncoder))
    _tidy(written)
    return written


def for_grafana_com(board: Dashboard) -> Json:
    """The board as grafana.com publishes it and "Import dashboard" reads it."""
    written = for_provisioning(board)
    by_variable = {source.variable: source for source in SOURCES.values()}
    variables = written["templating"]["list"]
    sources = [by_variable[variable["name"]] for variable in variables if variable["type"] == "datasource"]
    written["templating"]["list"] = [variable for variable in variables if variable["type"] != "datasource"]
    for source in sources:
        _replace(written, source.reference, source.input_reference)
    return {
        "__inputs": [_input(source) for source in sources],
        "__elements": {},
        "__requires": list(_requires(written, sources)),
        **written,
        "id": None,
        "editable": True,
    }


def every_panel(written: Json) -> Iterator[Json]:
    """Rows and panels of a board's JSON, those within collapsed rows included."""
    for panel in written["panels"]:
        yield panel
        yield from panel.get("panels") or ()


def _tidy(written: Json) -> None:
    for link in written["links"]:
        del link["placement"]
    for annotation in written["annotations"]["list"]:
        del annotation["placement"]
    for variable in written["templating"]["list"]:
        for key in _AUTO_KEYS:
            del variable[key]
    for panel in every_panel(written):
        panel.pop("repeatDirection", None)
        if panel["type"] == "row":
            continue
        if panel["type"] == "table":
            del panel["options"]["footer"]  # Grafana 13 has no such option any more, and none of our tables has a footer
        config = panel["fieldConfig"]
        config["defaults"]["links"] = [_only_link_keys(link) for link in config["defaults"].get("links", ())]
        for override in config["overrides"]:
            for entry in override["properties"]:
                if entry["id"] == "links":
                    entry["value"] = [_only_link_keys(link) for link in entry["value"]]


def _only_link_keys(link: Json) -> Json:
    return {key: link[key] for key in _LINK_KEYS}


def _replace(node: Any, old: str, new: str) -> None:
    """Puts ``new`` wherever a data source is ``old``."""
    if isinstance(node, dict):
        if node.get("uid") == old:
            node["uid"] = new
        for child in node.values():
            _replace(child, old, new)
    elif isinstance(node, list):
        for child in node:
            _replace(child, old, new)


def _input(source: Source) -> Json:
    return {
        "name": source.input,
        "label": source.label,
        "description": "",
        "type": "datasource",
        "pluginId": source.plugin,
        "pluginName": source.plugin_name,
    }


def _requires(written: Json, sources: list[Source]) -> Iterator[Json]:
    yield {"type": "grafana", "id": "grafana", "name": "Grafana", "version": OLDEST_GRAFANA}
    for source in sources:
        yield {"type": "datasource", "id": source.plugin, "name": source.plugin_name, "version": "1.0.0"}
    for plugin in sorted({panel["type"] for panel in every_panel(written)} - {"row"}):
        yield {"type": "panel", "id": plugin, "name": _PLUGIN_NAMES[plugin], "version": ""}
