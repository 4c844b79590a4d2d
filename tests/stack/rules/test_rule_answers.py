"""Rules and alerts are answered in the shape of Prometheus' HTTP API."""

from __future__ import annotations

import json
from typing import Any

import pytest

from otelkit_stack.promql import Engine, Labels, MemoryStorage
from otelkit_stack.rules import answers
from otelkit_stack.rules.asking import promql
from otelkit_stack.rules.group import GroupState, Surroundings
from otelkit_stack.rules.model import AlertingRule, Group, RecordingRule
from tests.stack.promql.shared_files import shared_folder

NOW = 1_795_349_075_949


def groups() -> list[GroupState]:
    storage = MemoryStorage()
    storage.append([(Labels.of({"__name__": "ratio", "service_name": "stock"}), NOW, 0.0517), (Labels.of({"__name__": "x"}), NOW, 1.0)])
    rules = (
        RecordingRule("service:ratio", "ratio"),
        AlertingRule(
            "RatioHigh",
            "service:ratio > 0.05",
            15_000,
            30_000,
            Labels.of({"severity": "page"}),
            Labels.of({"summary": "{{ $value | humanizePercentage }}"}),
        ),
        RecordingRule("broken", "x + on () {__name__=~'x|ratio'}"),
    )
    group = GroupState(Group("ref", "/etc/rules.yml", rules, 15_000), Surroundings(promql(Engine(storage)), storage), is_restored=True)
    group.evaluate(NOW)
    return [group]


def captured(name: str) -> dict[str, Any]:
    folder = shared_folder("captured")
    if folder is None:
        pytest.skip("the captured answers are not here: ../shared/captured")
    content: dict[str, Any] = json.loads((folder / f"{name}.json").read_text())["body"]["data"]
    return content


def shape(value: Any) -> Any:
    """Keys and types, to be compared; whole and other numbers are one type, as in JSON."""
    if isinstance(value, dict):
        return {key: shape(one) for key, one in value.items() if key not in ("labels", "annotations")}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "number" if isinstance(value, int | float) else type(value).__name__


def test_rules_have_the_shape_of_a_captured_answer() -> None:
    theirs = captured("prom_rules")["groups"][0]
    ours = json.loads(json.dumps(answers.rules(groups())))["groups"][0]
    assert {key: shape(value) for key, value in ours.items() if key != "rules"} == {
        key: shape(value) for key, value in theirs.items() if key != "rules"
    }
    assert [shape(rule) for rule in ours["rules"][:2]] == [shape(rule) for rule in theirs["rules"]]


def test_alerts_have_the_shape_of_a_captured_answer() -> None:
    assert shape(json.loads(json.dumps(answers.alerts(groups())))) == shape(captured("prom_alerts"))


def test_rules_say_what_became_of_them() -> None:
    (group,) = answers.rules(groups())["groups"]
    recording, alerting, broken = group["rules"]
    assert (group["name"], group["file"], group["interval"], group["lastEvaluation"]) == (
        "ref",
        "/etc/rules.yml",
        15,
        "2026-11-22T12:04:35.949Z",
    )
    assert (recording["type"], recording["name"], recording["query"], recording["health"]) == ("recording", "service:ratio", "ratio", "ok")
    assert (alerting["type"], alerting["state"], alerting["duration"], alerting["keepFiringFor"]) == ("alerting", "pending", 15, 30)
    assert alerting["alerts"] == [
        {
            "labels": {"alertname": "RatioHigh", "service_name": "stock", "severity": "page"},
            "annotations": {"summary": "5.17%"},
            "state": "pending",
            "activeAt": "2026-11-22T12:04:35.949Z",
            "value": "5.17e-02",
        }
    ]
    assert broken["health"] == "err"
    assert broken["lastError"].startswith("found duplicate series")
