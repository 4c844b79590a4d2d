"""What Grafana gets: both forms of every board."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from otelkit.catalog.boards import ENDPOINT
from otelkit.catalog.labels import HTTP_ROUTE, SERVICE_NAME
from otelkit_dashboards import BOARDS
from otelkit_dashboards.grafana import for_grafana_com, for_provisioning
from otelkit_dashboards.grafana.exports import every_panel
from otelkit_dashboards.grafana.fields import thresholds
from otelkit_dashboards.grafana.sdk import JSONEncoder, dashboard
from otelkit_dashboards.model import Dashboard, Row
from otelkit_dashboards.panels import Thresholds, to
from tests.dashboards.faults import BOARD, PANEL, board_with

JUNK = ("inControlsMenu", "auto_min", "auto_count", "repeatDirection")

each_board = pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.fact.uid)


def _ids(written: dict[str, Any]) -> dict[str, int]:
    titles = [panel["title"] for panel in every_panel(written)]
    assert len(set(titles)) == len(titles)
    return {panel["title"]: panel["id"] for panel in every_panel(written)}


@each_board
def test_ids_stay_when_panels_and_rows_change_places(board: Dashboard) -> None:
    """D6: every saved link to a panel holds its id."""
    turned = replace(board, rows=tuple(replace(row, panels=row.panels[::-1]) for row in board.rows[::-1]))

    assert _ids(for_provisioning(turned)) == _ids(for_provisioning(board))


def test_a_new_title_leaves_the_id_alone() -> None:
    renamed = replace(BOARD, rows=(Row("row", "Row", (replace(PANEL, title="Traffic"),)),))

    assert _ids(for_provisioning(renamed))["Traffic"] == _ids(for_provisioning(BOARD))["Requests"]


@each_board
def test_grafanas_own_model_reads_back_what_we_write(board: Dashboard) -> None:
    written = for_provisioning(board)

    again = json.loads(json.dumps(dashboard.Dashboard.from_json(written), cls=JSONEncoder))

    assert again["uid"] == board.fact.uid
    assert [panel["title"] for panel in every_panel(again)] == [panel["title"] for panel in every_panel(written)]
    assert [_without_junk(panel) for panel in again["panels"]] == [_without_junk(panel) for panel in written["panels"]]


def _without_junk(node: Any) -> Any:
    """The node without what the SDK adds to everything it reads: links grow eight keys, panels a direction to repeat in."""
    if isinstance(node, dict):
        kept = {key: _without_junk(value) for key, value in node.items() if key != "repeatDirection"}
        return {key: kept[key] for key in ("title", "url", "targetBlank")} if "asDropdown" in kept else kept
    return [_without_junk(child) for child in node] if isinstance(node, list) else node


@each_board
def test_nothing_is_left_of_what_the_sdk_adds_for_other_versions(board: Dashboard) -> None:
    text = json.dumps(for_provisioning(board))

    assert [word for word in JUNK if f'"{word}"' in text] == []


@each_board
def test_the_provisioned_form_is_classic_and_closed_for_editing(board: Dashboard) -> None:
    written = for_provisioning(board)

    assert (written["schemaVersion"], written["editable"], written["graphTooltip"]) == (42, False, 1)
    assert "__inputs" not in written


@each_board
def test_the_first_choices_are_the_data_sources_that_the_board_reads(board: Dashboard) -> None:
    variables = for_provisioning(board)["templating"]["list"]
    plugins = {panel["datasource"]["type"] for panel in every_panel(for_provisioning(board)) if "datasource" in panel}

    names = [variable["name"] for variable in variables]
    assert names[len(plugins) :] == list(board.fact.variables)
    assert {variable["query"] for variable in variables if variable["type"] == "datasource"} == plugins


@each_board
def test_the_grafana_com_form_asks_for_its_data_sources(board: Dashboard) -> None:
    written = for_grafana_com(board)
    text = json.dumps(written)

    inputs = {source["name"] for source in written["__inputs"]}
    used = {panel["datasource"]["uid"].strip("${}") for panel in every_panel(written) if "datasource" in panel}
    assert used == inputs
    assert "_datasource" not in text.replace("Prometheus data source", "")
    assert (written["id"], written["uid"], written["editable"]) == (None, board.fact.uid, True)


@each_board
def test_the_grafana_com_form_names_every_plugin_it_needs(board: Dashboard) -> None:
    written = for_grafana_com(board)
    needed = {(entry["type"], entry["id"]) for entry in written["__requires"]}

    drawn = {("panel", panel["type"]) for panel in every_panel(written) if panel["type"] != "row"}
    assert needed == drawn | {("datasource", source["pluginId"]) for source in written["__inputs"]} | {("grafana", "grafana")}


@each_board
def test_every_metric_query_asks_for_at_least_one_export_per_point(board: Dashboard) -> None:
    """Otherwise $__rate_interval may hold one sample only, and the panel stays empty."""
    targets = [target for panel in every_panel(for_provisioning(board)) for target in panel.get("targets", ())]

    steps = {target.get("interval") for target in targets if target["datasource"]["type"] == "prometheus"}
    assert steps == {"15s"}


def test_a_link_fills_variables_from_the_series_and_carries_the_others() -> None:
    linked = replace(PANEL, key="linked", title="Linked", links=(to(ENDPOINT, "Open", route=HTTP_ROUTE, service=SERVICE_NAME),))

    written = for_provisioning(board_with(linked))

    (link,) = next(panel for panel in written["panels"] if panel["id"] == _ids(written)["Linked"])["fieldConfig"]["defaults"]["links"]
    assert link == {
        "title": "Open",
        "targetBlank": False,
        "url": "/d/otelkit-endpoint?${__url_time_range}"
        "&var-route=${__field.labels.http_route:percentencode}"
        "&var-service=${__field.labels.service_name:percentencode}"
        "&${environment:queryparam}",
    }


@pytest.mark.parametrize(
    ("bounds", "steps"),
    [
        (None, [(None, "blue")]),
        (Thresholds(critical=0.5), [(None, "green"), (0.5, "red")]),
        (Thresholds(warning=1, critical=2), [(None, "green"), (1, "orange"), (2, "red")]),
        (Thresholds(critical=0.999, bad_below=True), [(None, "red"), (0.999, "green")]),
        (Thresholds(warning=0.9995, critical=0.999, bad_below=True), [(None, "red"), (0.999, "orange"), (0.9995, "green")]),
    ],
)
def test_thresholds_become_steps_from_low_to_high(bounds: Thresholds | None, steps: list[tuple[float | None, str]]) -> None:
    """Without bounds no value is green: nobody promised anything."""
    assert [(step.value, step.color) for step in thresholds(bounds).steps] == steps


def test_a_table_joins_its_columns_and_names_them() -> None:
    (routes,) = [panel for panel in every_panel(for_provisioning(BOARDS[0])) if panel["title"] == "Routes"]
    merge, organize = routes["transformations"]

    assert merge["id"] == "merge"
    assert organize["options"]["renameByName"] == {
        "service_name": "Service",
        "http_route": "Route",
        "Value #rate": "Requests",
        "Value #errors": "Errors",
        "Value #p95": "p95",
        "Value #queries": "Queries a request",
        "Value #repeats": "Repeated queries a request",
    }
    assert {target["format"] for target in routes["targets"]} == {"table"}
    assert routes["options"]["sortBy"] == [{"displayName": "Requests", "desc": True}]


def test_a_description_says_what_to_do_and_which_metrics_are_read() -> None:
    (latency,) = [panel for panel in every_panel(for_provisioning(BOARDS[0])) if panel["title"] == "Latency"]

    assert "p99 alone: some requests are special" in latency["description"]
    assert latency["description"].endswith("Reads `http.server.request.duration`.")
