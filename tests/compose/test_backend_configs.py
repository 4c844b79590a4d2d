"""Prometheus, Alertmanager, Loki, Tempo and Grafana: each configuration agrees with the catalogue and with its neighbours."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from otelkit.catalog import labels as l
from otelkit.catalog.boards import SERVICE_OVERVIEW
from tests.compose.real_programs import accepted
from tests.compose.stack_files import COMPOSE, PROJECT, config, environment_file, mounts, services

PROMETHEUS = config("prometheus/prometheus.yml")
DATA_SOURCES = {source["type"]: source for source in config("grafana/provisioning/datasources/otelkit.yaml")["datasources"]}
GRAFANA_OWN = {"-- Grafana --", "-- Mixed --", "-- Dashboard --", "grafana"}


def host_path(service: str, path: str) -> Path:
    """Where a path of a container is in this checkout."""
    for mount in mounts(services()[service]):
        if mount.path and (path == mount.target or path.startswith(mount.target + "/")):
            return mount.path / path.removeprefix(mount.target).lstrip("/")
    raise AssertionError(f"{path} of {service} comes from no file of ours")


def test_prometheus_promotes_exactly_what_the_catalogue_says():
    assert PROMETHEUS["otlp"]["promote_resource_attributes"] == [label.name for label in l.PROMOTED]


def test_prometheus_spells_names_as_rules_and_boards_do():
    assert PROMETHEUS["otlp"]["translation_strategy"] == "UnderscoreEscapingWithSuffixes"


def test_prometheus_takes_otlp_and_keeps_exemplars():
    command = services()["prometheus"]["command"]
    assert {"--web.enable-otlp-receiver", "--enable-feature=exemplar-storage"} <= set(command)
    assert PROMETHEUS["storage"]["exemplars"]["max_exemplars"] > 0


def test_prometheus_accepts_what_a_collector_sends_late():
    """A Collector that empties its disk queue after an outage sends samples older than the newest."""
    assert PROMETHEUS["storage"]["tsdb"]["out_of_order_time_window"] == "30m"


def test_the_generated_rules_are_where_prometheus_looks():
    """One file: those of two paces record the same series."""
    (path,) = PROMETHEUS["rule_files"]
    rules = yaml.safe_load(host_path("prometheus", path).read_text())
    assert "Watchdog" in {rule.get("alert") for group in rules["groups"] for rule in group["rules"]}


def test_prometheus_sends_alerts_to_the_alertmanager_of_the_stack():
    (target,) = PROMETHEUS["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"]
    assert target.partition(":")[0] in services()


def test_prometheus_scrapes_only_backends_of_the_stack():
    targets = [target for job in PROMETHEUS["scrape_configs"] for group in job["static_configs"] for target in group["targets"]]
    assert {target.partition(":")[0] for target in targets} <= set(services())


def test_loki_indexes_few_and_steady_labels():
    """An index label with a worker's name would make one stream per worker."""
    indexed = config("loki/loki.yml")["distributor"]["otlp_config"]["default_resource_attributes_as_index_labels"]
    assert indexed == [l.SERVICE_NAME.name, l.SERVICE_NAMESPACE.name, l.DEPLOYMENT_ENVIRONMENT_NAME.name]


def test_alertmanager_routes_as_the_alerts_ask_and_wakes_nobody():
    ours = config("alertmanager/alertmanager.yml")
    asked = yaml.safe_load((PROJECT / "alerts/generated/alertmanager.snippet.yml").read_text())
    assert (ours["route"], ours["inhibit_rules"]) == (asked["route"], asked["inhibit_rules"])
    assert [receiver for receiver in ours["receivers"] if set(receiver) != {"name"}] == []


def test_every_address_inside_a_configuration_is_a_service_of_the_stack():
    files = (
        "collector/config.yaml",
        "prometheus/prometheus.yml",
        "loki/loki.yml",
        "tempo/tempo.yml",
        "grafana/provisioning/datasources/otelkit.yaml",
    )
    known = {*services(), "127.0.0.1", "0.0.0.0"}
    for file in files:
        text = re.sub(r"#.*", "", (COMPOSE / file).read_text())
        assert set(re.findall(r"https?://([\w.-]+):\d+", text)) <= known, file


@pytest.mark.parametrize(("service", "file"), [("loki", "loki/loki.yml"), ("tempo", "tempo/tempo.yml")])
def test_every_variable_of_a_configuration_is_handed_to_its_container(service: str, file: str):
    used = set(re.findall(r"\$\{(\w+)\}", (COMPOSE / file).read_text()))
    assert used <= set(services()[service]["environment"])
    assert "-config.expand-env=true" in services()[service]["command"]


def test_nothing_reports_home():
    assert config("loki/loki.yml")["analytics"]["reporting_enabled"] is False
    assert config("tempo/tempo.yml")["usage_report"]["reporting_enabled"] is False


def test_everything_keeps_the_same_beat():
    """`$__rate_interval` is computed from the data source's interval: were one sender slower, its rates would have holes."""
    interval = DATA_SOURCES["prometheus"]["jsonData"]["timeInterval"]
    collector = config("collector/config.yaml")
    assert interval == f"{int(environment_file()['METRIC_EXPORT_INTERVAL']) // 1000}s"
    assert interval == collector["connectors"]["span_metrics"]["metrics_flush_interval"]
    assert interval == collector["receivers"]["prometheus/self"]["config"]["scrape_configs"][0]["scrape_interval"]
    assert interval == PROMETHEUS["global"]["scrape_interval"]


def test_grafana_is_told_the_prometheus_that_runs():
    assert "v" + DATA_SOURCES["prometheus"]["jsonData"]["prometheusVersion"] == environment_file()["PROMETHEUS_IMAGE"].rpartition(":")[2]


def _values(tree: Any, key: str) -> Iterator[Any]:
    if isinstance(tree, dict):
        for name, value in tree.items():
            if name == key:
                yield value
            yield from _values(value, key)
    elif isinstance(tree, list):
        for item in tree:
            yield from _values(item, key)


def _texts(tree: Any) -> Iterator[str]:
    if isinstance(tree, dict):
        tree = list(tree.values())
    if isinstance(tree, list):
        for item in tree:
            yield from _texts(item)
    elif isinstance(tree, str):
        yield tree


def test_data_sources_lead_into_one_another():
    """A curve leads to a trace, a trace to lines and to a curve, a line to a trace: no link points at a uid that is not there."""
    uids = {source["uid"] for source in DATA_SOURCES.values()}
    assert uids == {"prometheus", "loki", "tempo"}
    linked = {kind: set(_values(source["jsonData"], "datasourceUid")) for kind, source in DATA_SOURCES.items()}
    assert linked == {"prometheus": {"tempo"}, "loki": {"tempo"}, "tempo": {"loki", "prometheus"}}


def test_dollars_meant_for_grafana_are_doubled():
    """Provisioning would replace a single dollar with a variable of the container, that is with nothing."""
    assert [text for text in _texts(config("grafana/provisioning/datasources/otelkit.yaml")) if "$" in text.replace("$$", "")] == []


def _boards() -> list[Path]:
    (provider,) = config("grafana/provisioning/dashboards/otelkit.yaml")["providers"]
    return sorted(host_path("grafana", provider["options"]["path"]).rglob("*.json"))


def test_grafana_finds_the_boards():
    assert _boards()


def test_grafana_opens_with_the_overview():
    path = services()["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert json.loads(host_path("grafana", path).read_text())["uid"] == SERVICE_OVERVIEW.uid


def test_boards_draw_from_data_sources_that_grafana_has():
    uids = {source["uid"] for source in DATA_SOURCES.values()}
    for path in _boards():
        board = json.loads(path.read_text())
        variables = {variable["name"]: variable["query"] for variable in board["templating"]["list"] if variable["type"] == "datasource"}
        assert set(variables.values()) <= set(DATA_SOURCES), path.name
        for source in _values(board, "datasource"):
            uid = source.get("uid", "") if isinstance(source, dict) else source
            variable = re.fullmatch(r"\$\{(\w+)\}", uid or "")
            if variable:
                assert variable[1] in variables, f"{path.name}: {uid} is no data source variable"
                assert source["type"] == variables[variable[1]], f"{path.name}: {uid} is not a {source['type']}"
            else:
                assert uid in uids | GRAFANA_OWN | {None}, f"{path.name}: {uid}"


def test_boards_are_in_the_format_that_file_provisioning_reads():
    for path in _boards():
        board = json.loads(path.read_text())
        assert "panels" in board, f"{path.name} is not a classic board"
        assert not {"elements", "layout"} & set(board), f"{path.name} is in the v2 format"


@pytest.mark.backends
def test_promtool_accepts_the_configuration_with_the_rules_of_each_pace(tmp_path: Path):
    paces = sorted((PROJECT / "alerts/generated/prometheus").glob("*.yaml"))
    assert environment_file()["RULES"] in {path.name for path in paces}
    for rules in paces:
        checked = tmp_path / f"{rules.stem}.yml"
        checked.write_text(yaml.safe_dump(PROMETHEUS | {"rule_files": [str(rules)]}))
        assert re.search(r"SUCCESS: 1 rule files? found", accepted("promtool", "check", "config", str(checked)))


@pytest.mark.backends
def test_amtool_accepts_the_configuration():
    accepted("amtool", "check-config", str(COMPOSE / "alertmanager/alertmanager.yml"))


@pytest.mark.backends
def test_loki_accepts_its_configuration():
    arguments = (f"-config.file={COMPOSE / 'loki/loki.yml'}", "-config.expand-env=true", "-verify-config")
    accepted("loki", *arguments, environment=services()["loki"]["environment"])
