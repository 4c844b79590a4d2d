"""Labels and annotations are expanded as Prometheus expands them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from otelkit_stack.go_template.errors import TemplateError
from otelkit_stack.promql import Engine, Labels, MemoryStorage
from otelkit_stack.rules.alerting import AlertingState
from otelkit_stack.rules.asking import promql
from otelkit_stack.rules.errors import RuleFileError
from otelkit_stack.rules.files import read
from otelkit_stack.rules.model import AlertingRule
from otelkit_stack.rules.templates.template import Template
from tests.backends import program
from tests.stack.rules.template_cases import BROKEN, CASES, EXTERNAL_LABELS, EXTERNAL_URL, FAILING, LABELS, VALUE

NOW = 60_000
SERIES = {"up": [({"job": "a"}, 0.0), ({"job": "b"}, 1.0)], "trouble": [(LABELS, VALUE)]}


def expanded(template: str) -> str:
    """What becomes of the template in the annotation of an alert."""
    storage = MemoryStorage()
    for name, series in SERIES.items():
        for labels, value in series:
            storage.add({"__name__": name, **labels}, [(0, value), (NOW, value)])
    rule = AlertingRule("Trouble", "trouble", annotations=Labels.of({"text": template or " "}))
    state = AlertingState(rule, external_labels=EXTERNAL_LABELS, external_url=EXTERNAL_URL, is_restored=True)
    state.evaluate(promql(Engine(storage)), NOW, 0, 0)
    (alert,) = state.active()
    return alert.annotations.get("text")


@pytest.mark.parametrize(("template", "text"), [(template, text) for template, text in CASES.items() if text and "..." not in text])
def test_a_template_comes_to_its_text(template: str, text: str) -> None:
    assert expanded(template) == text


def test_a_template_knows_where_prometheus_is_reached() -> None:
    assert expanded("{{ $externalURL }} {{ externalURL }} {{ pathPrefix }}") == f"{EXTERNAL_URL} {EXTERNAL_URL} /prometheus"


@pytest.mark.parametrize("template", FAILING)
def test_a_template_that_fails_says_so_and_the_alert_goes_on(template: str) -> None:
    assert expanded(template).startswith("<error expanding template: ")


@pytest.mark.parametrize("template", [*BROKEN, "{{ template `x` }}", "{{ define `x` }}{{ end }}"])
def test_a_template_that_cannot_be_read_is_refused_with_the_file(template: str) -> None:
    with pytest.raises(TemplateError, match=r"."):
        Template(template)
    rules = {"groups": [{"name": "g", "rules": [{"alert": "A", "expr": "up", "annotations": {"text": template}}]}]}
    with pytest.raises(RuleFileError, match=r'^rules.yaml: \d+:\d+: group "g", rule 1, "A": annotation "text": .'):
        read(yaml.safe_dump(rules), "rules.yaml")


@pytest.mark.backends
def test_promtool_expands_them_to_the_same_text(tmp_path: Path) -> None:
    templates = [template for template in CASES if not expanded(template).startswith("<error")]
    assert len(templates) > 40
    alerts = [{"alert": f"A{number}", "expr": "trouble", "annotations": {"text": template}} for number, template in enumerate(templates)]
    answer = _tested(tmp_path, alerts, [expanded(template).replace("Trouble", f"A{number}") for number, template in enumerate(templates)])
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.backends
def test_promtool_fails_on_the_same_templates(tmp_path: Path) -> None:
    alerts = [{"alert": f"A{number}", "expr": "trouble", "annotations": {"text": template}} for number, template in enumerate(FAILING)]
    answer = _tested(tmp_path, alerts, ["?"] * len(FAILING))
    assert (answer.stdout + answer.stderr).count("<error expanding template: ") == len(FAILING), answer.stdout + answer.stderr


@pytest.mark.backends
@pytest.mark.parametrize("template", BROKEN)
def test_promtool_refuses_the_same_templates(template: str, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(
        yaml.safe_dump({"groups": [{"name": "g", "rules": [{"alert": "A", "expr": "up", "annotations": {"text": template}}]}]})
    )
    answer = subprocess.run([program("promtool"), "check", "rules", str(rules)], check=False, capture_output=True, text=True)
    assert answer.returncode != 0
    assert 'annotation "text"' in answer.stdout + answer.stderr


def _tested(folder: Path, alerts: list[dict[str, object]], texts: list[str]) -> subprocess.CompletedProcess[str]:
    rules, test = folder / "rules.yaml", folder / "test.yaml"
    rules.write_text(yaml.safe_dump({"groups": [{"name": "g", "rules": alerts}]}))
    expected = [
        {"eval_time": "1m", "alertname": alert["alert"], "exp_alerts": [{"exp_labels": LABELS, "exp_annotations": {"text": text}}]}
        for alert, text in zip(alerts, texts, strict=True)
    ]
    series = [
        {"series": "{" + ",".join(f'"{key}"="{text}"' for key, text in {"__name__": name, **labels}.items()) + "}", "values": f"{value}x1"}
        for name, all_of_it in SERIES.items()
        for labels, value in all_of_it
    ]
    content = {"interval": "1m", "input_series": series, "alert_rule_test": expected}
    content |= {"external_labels": EXTERNAL_LABELS, "external_url": EXTERNAL_URL}
    test.write_text(yaml.safe_dump({"rule_files": [str(rules)], "tests": [content]}))
    return subprocess.run([program("promtool"), "test", "rules", str(test)], check=False, capture_output=True, text=True)
