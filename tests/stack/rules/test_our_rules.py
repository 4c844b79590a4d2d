"""The rules that we ship, evaluated by our engine, give what their tests for ``promtool`` expect."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from otelkit_stack.promql.durations import milliseconds, parse
from otelkit_stack.rules.files import load
from tests.backends import program
from tests.stack.rules.unit_tests import problems_of

GENERATED = Path(__file__).parents[3] / "alerts" / "generated"
FILES = sorted((GENERATED / "tests").glob("*.yaml"))
RULES = sorted((GENERATED / "prometheus").glob("*.yaml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_test_of_our_rules_passes_on_our_engine(file: Path) -> None:
    assert list(problems_of(file)) == []


def test_step_by_step_the_three_shortest_tests_that_fire_pass_too() -> None:
    """In which each rule sees only what was written until then."""
    tests = [(file, test) for file in FILES for test in yaml.safe_load(file.read_text())["tests"]]
    fires = [(file, test) for file, test in tests if any(one["exp_alerts"] for one in test["alert_rule_test"])]
    fires.sort(key=lambda pair: max(milliseconds(parse(one["eval_time"])) for one in pair[1]["alert_rule_test"]))
    for file, test in fires[:3]:
        assert list(problems_of(file, only=lambda one, name=test["name"]: one["name"] == name, step_by_step=True)) == []  # type: ignore[misc]


def test_every_rule_that_we_ship_is_loaded() -> None:
    for file in RULES:
        written = yaml.safe_load(file.read_text())["groups"]
        assert [group.name for group in load(file)] == [group["name"] for group in written]
        assert [len(group.rules) for group in load(file)] == [len(group["rules"]) for group in written]


def without_alerts(test: dict[str, Any]) -> bool:
    fired = [one for one in test.get("alert_rule_test", []) if one["exp_alerts"]]
    for one in fired:
        one["exp_alerts"] = []
    return bool(fired)


def with_other_annotations(test: dict[str, Any]) -> bool:
    fired = [alert for one in test.get("alert_rule_test", []) for alert in one["exp_alerts"]]
    for alert in fired:
        alert["exp_annotations"]["summary"] += "!"
    return bool(fired)


def with_another_value(test: dict[str, Any]) -> bool:
    samples = [sample for one in test.get("promql_expr_test", []) for sample in one["exp_samples"]]
    for sample in samples:
        sample["value"] += 1
    return bool(samples)


@pytest.mark.backends
@pytest.mark.parametrize("change", [without_alerts, with_other_annotations, with_another_value])
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_promtool_and_our_engine_find_the_same_tests_wrong(file: Path, change: Callable[[dict[str, Any]], bool], tmp_path: Path) -> None:
    content = yaml.safe_load(file.read_text())
    content["rule_files"] = [str((file.parent / name).resolve()) for name in content["rule_files"]]
    made_wrong, left = [], []
    for test in content["tests"]:
        (made_wrong if change(test) else left).append(test)
    content["tests"] = made_wrong[:3] + left[:2]
    changed = [test["name"] for test in made_wrong]
    if not changed:
        pytest.skip(f"{file.name} expects nothing of this kind")
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(yaml.safe_dump(content))
    answer = subprocess.run([program("promtool"), "test", "rules", str(wrong)], check=False, capture_output=True, text=True)
    ours = "\n".join(problems_of(wrong))
    assert answer.returncode != 0
    said = answer.stdout + answer.stderr
    assert said.count("  expr:") + said.count("  alertname:") == len(ours.splitlines())
    for test in content["tests"]:
        is_wrong = test["name"] in changed
        assert (f": {test['name']}: " in ours) is is_wrong
        if change is not with_another_value:  # about samples promtool does not name the test
            assert (f"name: {test['name']}," in said) is is_wrong
