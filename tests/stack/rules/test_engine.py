"""The rules of a running stack: read from its own store, written back into it, told to Alertmanagers and remembered."""

from __future__ import annotations

import http.server
import json
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Gauge, Metric, NumberDataPoint

from otelkit_stack.database import open_reader
from otelkit_stack.metrics.storage import SampleStorage
from otelkit_stack.promql import Engine
from otelkit_stack.promql.results import VectorAnswer
from otelkit_stack.queries import Queries
from otelkit_stack.rules.engine import RuleEngine
from otelkit_stack.rules.errors import RuleFileError
from otelkit_stack.rules.shipped import rule_files, shipped_rules
from otelkit_stack.store import Store
from otelkit_stack.testing import RunningStack, running_stack
from tests.backends import program, running_alertmanager, wait_until
from tests.stack.logql.records import SECOND_NS, logs_of_two_services
from tests.stack.otlp_requests import key_values, metrics, post
from tests.stack.rules.test_manager import MINUTE, Clock

RULES = """
groups:
  - name: orders
    interval: 1m
    rules:
      - record: orders:doubled
        expr: 2 * vector(21)
      - record: orders:again
        expr: orders:doubled + 1
      - alert: TooMany
        expr: orders:again > 40
        for: 20m
        labels: {severity: page}
        annotations: {summary: "{{ $value | humanize }} orders"}
"""


def folder_of(tmp_path: Path, **files: str) -> Path:
    """A folder with rule files of these names."""
    folder = tmp_path / "rules"
    for name, text in files.items():
        file = folder / f"{name.replace('__', '/')}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


def vector(store: Store, query: str, time_ms: int) -> list[tuple[dict[str, str], float]]:
    store.flush()
    connection = open_reader(store.file)
    try:
        answer = Engine(SampleStorage(store.samples, connection)).instant(query, time_ms).answer
    finally:
        connection.close()
    assert isinstance(answer, VectorAnswer)
    return [(dict(labels), value) for labels, value in answer.samples]


def test_a_rule_reads_what_the_rule_before_it_wrote_and_alerts_become_series(tmp_path: Path):
    clock = Clock(time.time_ns() // 1_000_000)
    with Store(tmp_path, retention_s=None) as store, RuleEngine(store, [folder_of(tmp_path, orders=RULES)], clock=clock) as engine:
        for _ in range(4):  # series of alerts are written once the old ones have been read
            clock.now = engine.manager.evaluate_due() or 0
        now = clock.now
        assert vector(store, "orders:doubled", now) == [({"__name__": "orders:doubled"}, 42.0)]
        assert vector(store, "orders:again", now) == [({"__name__": "orders:again"}, 43.0)]
        ((labels, value),) = vector(store, "ALERTS", now)
        assert (labels["alertname"], labels["alertstate"], labels["severity"], value) == ("TooMany", "pending", "page", 1.0)
        assert len(vector(store, 'ALERTS_FOR_STATE{alertname="TooMany"}', now)) == 1


def test_an_alert_that_had_waited_goes_on_waiting_after_a_restart(tmp_path: Path):
    """Its time does not begin anew: 18 minutes before, 10 minutes of grace after."""
    rules, clock = folder_of(tmp_path, orders=RULES), Clock(time.time_ns() // 1_000_000)

    def evaluations(engine: RuleEngine, count: int) -> list[str]:
        states = []
        for _ in range(count):
            clock.now = engine.manager.evaluate_due() or 0
            (group,) = engine.groups
            assert group.rules[2].alerting is not None
            states.append(group.rules[2].alerting.state.value)
        return states

    with Store(tmp_path, retention_s=None) as store, RuleEngine(store, [rules], clock=clock) as engine:
        assert "firing" not in evaluations(engine, 19)
    clock.now += 5 * MINUTE
    with Store(tmp_path, retention_s=None) as store, RuleEngine(store, [rules], clock=clock) as engine:
        states = evaluations(engine, 16)
        assert states[0] == "inactive"
        assert states[-1] == "firing"
        store.flush()
        with Queries(tmp_path) as queries:
            history = queries.alert_history(limit=-1)
        steps = [(change.rule, change.before, change.after) for change in reversed(history)]
        assert steps == [("TooMany", "inactive", "pending")] * 2 + [("TooMany", "pending", "firing")]
        assert history[0].labels == {"alertname": "TooMany", "severity": "page"}
        assert history[0].value == 43.0


QUICK = """
groups:
  - name: quick
    interval: 50ms
    rules:
      - record: balls:all
        expr: sum by (service_name) (balls)
      - alert: TooManyBalls
        expr: balls:all > 5
        labels: {severity: page}
        annotations: {summary: "{{ $labels.service_name }} has {{ $value }}"}
      - alert: Never
        expr: balls:all < 0
  - name: other
    interval: 50ms
    rules:
      - record: balls:none
        expr: balls * on () group_left () balls
"""
LOGS = """
groups:
  - name: lines
    interval: 50ms
    rules:
      - record: lines:count
        expr: sum by (service_name) (count_over_time({service_namespace="shop"}[10m]))
      - alert: LinesArrive
        expr: sum by (service_name) (count_over_time({service_name="orders"} |= "" [10m])) > 0
        annotations: {summary: "{{ $value }} lines of {{ $labels.service_name }}"}
"""


@contextmanager
def alertmanager() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """What takes alerts as Alertmanager's API v2 does, and keeps them."""
    taken: list[dict[str, Any]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/api/v2/alerts"
            taken.extend(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", taken
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningStack, list[dict[str, Any]]]]:
    """A stack with rules of both languages, and what it told an Alertmanager."""
    folder = folder_of(tmp_path_factory.mktemp("files"), quick=QUICK, loki__lines=LOGS)
    with (
        alertmanager() as (address, taken),
        running_stack(tmp_path_factory.mktemp("stack"), rules=[folder], alertmanagers=[address]) as running,
    ):
        now = time.time_ns()
        points = [NumberDataPoint(time_unix_nano=now, as_int=4, attributes=key_values({"colour": colour})) for colour in ("red", "blue")]
        post(running.url, metrics(Metric(name="balls", gauge=Gauge(data_points=points))))
        post(running.url, logs_of_two_services(now - 120 * SECOND_NS))
        running.flush()
        wait_until(lambda: len(alerts(running)) == 1 and len(alerts(running, "/prometheus")) == 1, 30, "the alerts did not come")
        yield running, taken


def alerts(stack: RunningStack, prefix: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = httpx.get(f"{stack.url}{prefix}/api/v1/alerts").json()["data"]["alerts"]
    return found


def rules(stack: RunningStack, **parameters: object) -> httpx.Response:
    named = {name.replace("__", "[]"): value for name, value in parameters.items()}
    return httpx.get(f"{stack.url}/api/v1/rules", params=named)  # type: ignore[arg-type]


def named(answer: httpx.Response) -> dict[str, list[str]]:
    assert answer.status_code == 200, answer.text
    return {group["name"]: [rule["name"] for rule in group["rules"]] for group in answer.json()["data"]["groups"]}


def test_alerts_of_what_services_sent_reach_the_api_and_the_alertmanager(stack: tuple[RunningStack, list[dict[str, Any]]]):
    running, taken = stack
    (alert,) = alerts(running)
    assert (alert["state"], alert["labels"]["alertname"], alert["value"]) == ("firing", "TooManyBalls", "8e+00")
    assert alert["annotations"] == {"summary": "orders has 8"}
    told = wait_until(lambda: [one for one in taken if one["labels"]["alertname"] == "TooManyBalls"], 20, "Alertmanager was told nothing")
    assert told[0]["labels"] == {"alertname": "TooManyBalls", "service_name": "orders", "severity": "page"}
    assert told[0]["generatorURL"].startswith(running.url)


def test_rules_of_loki_are_asked_in_logql_and_answered_by_loki_s_paths(stack: tuple[RunningStack, list[dict[str, Any]]]):
    running, _ = stack
    (alert,) = alerts(running, "/prometheus")
    assert (alert["labels"]["alertname"], alert["labels"]["service_name"]) == ("LinesArrive", "orders")
    groups = httpx.get(f"{running.url}/prometheus/api/v1/rules").json()["data"]["groups"]
    assert [(group["name"], [rule["health"] for rule in group["rules"]]) for group in groups] == [("lines", ["ok", "ok"])]
    recorded = httpx.get(f"{running.url}/api/v1/query", params={"query": "lines:count"}).json()["data"]["result"]
    assert {series["metric"]["service_name"] for series in recorded} == {"inventory", "orders"}
    files = httpx.get(f"{running.url}/loki/api/v1/rules")
    assert files.headers["content-type"] == "application/yaml"
    assert "alert: LinesArrive" in files.text


def test_rules_are_filtered_as_prometheus_filters_them(stack: tuple[RunningStack, list[dict[str, Any]]]):
    running, _ = stack
    assert named(rules(running)) == {"quick": ["balls:all", "TooManyBalls", "Never"], "other": ["balls:none"]}
    assert named(rules(running, type="alert")) == {"quick": ["TooManyBalls", "Never"]}
    assert named(rules(running, type="record", rule_group__="other")) == {"other": ["balls:none"]}
    assert named(rules(running, rule_name__=["Never", "balls:none"])) == {"quick": ["Never"], "other": ["balls:none"]}
    assert named(rules(running, match__='{severity="page"}')) == {"quick": ["TooManyBalls"]}
    assert named(rules(running, file__="elsewhere.yaml")) == {}
    (with_alerts,) = rules(running, rule_name__="TooManyBalls").json()["data"]["groups"]
    (without,) = rules(running, rule_name__="TooManyBalls", exclude_alerts="true").json()["data"]["groups"]
    assert (len(with_alerts["rules"][0]["alerts"]), without["rules"][0]["alerts"]) == (1, None)
    posted = httpx.post(f"{running.url}/api/v1/rules", data={"type": "alert"})
    assert named(posted) == {"quick": ["TooManyBalls", "Never"]}


def test_groups_come_page_by_page(stack: tuple[RunningStack, list[dict[str, Any]]]):
    running, _ = stack
    first = rules(running, group_limit=1)
    assert list(named(first)) == ["other"]
    second = rules(running, group_limit=1, group_next_token=first.json()["data"]["groupNextToken"])
    assert list(named(second)) == ["quick"]
    assert "groupNextToken" not in second.json()["data"]


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"type": "neither"}, 'invalid parameter "type": not supported value "neither"'),
        ({"group_limit": "0"}, 'invalid parameter "group_limit": group_limit needs to be greater than 0'),
        ({"group_next_token": "x"}, 'invalid parameter "group_next_token": group_limit needs to be present'),
        ({"group_next_token": "x", "group_limit": "1"}, "invalid group_next_token 'x'. were rule groups changed?"),
        ({"exclude_alerts": "maybe"}, 'strconv.ParseBool: parsing "maybe": invalid syntax'),
        ({"match__": "{"}, 'invalid parameter "match[]": 1:2: parse error'),
        ({"match__": '{a=""}'}, "must contain at least one non-empty matcher"),
    ],
)
def test_a_filter_that_cannot_be_read_is_bad_data(stack: tuple[RunningStack, list[dict[str, Any]]], parameters: dict[str, str], said: str):
    answer = rules(stack[0], **parameters)
    assert (answer.status_code, answer.json()["errorType"]) == (400, "bad_data")
    assert said in answer.json()["error"]


def test_the_history_of_alerts_is_kept(stack: tuple[RunningStack, list[dict[str, Any]]]):
    running, _ = stack
    running.flush()
    found = httpx.get(f"{running.url}/api/otelkit/v1/alert_history", params={"limit": 1000}).json()["data"]
    steps = [(one["before"], one["after"]) for one in reversed(found) if one["rule"] == "TooManyBalls"]
    assert steps == [("inactive", "pending"), ("pending", "firing")]
    (last,) = [one for one in found if one["rule"] == "TooManyBalls" and one["after"] == "firing"]
    assert (last["labels"]["service_name"], last["value"]) == ("orders", "8")


def test_a_rule_that_fails_says_so_and_the_others_go_on(stack: tuple[RunningStack, list[dict[str, Any]]]):
    running, _ = stack
    (group,) = rules(running, rule_group__="other").json()["data"]["groups"]
    assert group["rules"][0]["health"] == "err"
    assert "duplicate series" in group["rules"][0]["lastError"]


def test_a_reload_with_a_broken_file_keeps_the_rules_and_names_file_group_and_rule(tmp_path: Path):
    folder = folder_of(tmp_path, orders=RULES)
    with running_stack(tmp_path / "data", rules=[folder]) as running:
        (folder / "orders.yaml").write_text(RULES.replace("2 * vector(21)", "2 *"))
        refused = httpx.post(f"{running.url}/-/reload")
        assert refused.status_code == 500
        said = f'{folder / "orders.yaml"}: 7:15: group "orders", rule 1, "orders:doubled": could not parse expression: '
        assert said in refused.text
        assert named(rules(running)) == {"orders": ["orders:doubled", "orders:again", "TooMany"]}
        (folder / "orders.yaml").write_text(RULES.replace("orders:again\n", "orders:anew\n"))
        assert httpx.post(f"{running.url}/-/reload").status_code == 200
        assert named(rules(running)) == {"orders": ["orders:doubled", "orders:anew", "TooMany"]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('groups: [{name: a, rules: [{record: b, expr: "{x=\\"y\\"}"}]}]', 'group "a", rule 1, "b": could not parse expression: rule is '),
        ("groups: [{name: a, rules: [{record: b, expr: up, fore: 1m}]}]", 'group "a", rule 1: a rule has no field "fore"'),
        ("groups: [{name: a, interval: soon}]", 'group "a": not a valid duration string: "soon"'),
    ],
)  # fmt: skip
def test_a_broken_file_stops_the_start_with_its_place(tmp_path: Path, text: str, said: str):
    with Store(tmp_path) as store, pytest.raises(RuleFileError) as refused:
        RuleEngine(store, [folder_of(tmp_path, loki=text)])
    assert said in str(refused.value)
    assert str(tmp_path / "rules" / "loki.yaml") in str(refused.value)


def test_a_folder_that_is_not_there_or_empty_is_said_by_name(tmp_path: Path):
    with pytest.raises(RuleFileError, match=r"nowhere: there is no such file or folder of rules\n.*: this folder holds no rule file"):
        rule_files([tmp_path / "nowhere", tmp_path])


def test_the_rules_that_come_with_the_kit_are_loaded_unchanged(tmp_path: Path):
    """The very files that Prometheus loads."""
    for pace in ("", "demo"):
        file = shipped_rules(pace)
        assert file is not None
        with Store(tmp_path / f"data{pace}") as store, RuleEngine(store, [file]) as engine:
            assert {rule.health for group in engine.groups for rule in group.rules} == {"unknown"}
            assert any(rule.rule.name == "Watchdog" for group in engine.groups for rule in group.rules)


@pytest.mark.backends
def test_amtool_sees_the_alerts_in_a_real_alertmanager(tmp_path: Path):
    """An alert that fires here is Alertmanager's, by its API v2, with labels and annotations."""
    rule = "groups: [{name: a, interval: 50ms, rules: [{alert: Always, expr: vector(1), labels: {severity: page}}]}]"
    amtool = program("amtool")
    with (
        running_alertmanager(tmp_path) as manager,
        running_stack(tmp_path / "data", rules=[folder_of(tmp_path, always=rule)], alertmanagers=[manager.url]),
    ):
        wait_until(manager.alerts, 30, "Alertmanager got no alert")
        command = [amtool, f"--alertmanager.url={manager.url}", "alert", "query", "severity=page", "-o", "simple"]
        shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert "Always" in shown
