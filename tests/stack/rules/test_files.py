"""Rule files are read as Prometheus reads them, and what is wrong with one is said with its place, all at once."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from otelkit_stack.promql import Labels
from otelkit_stack.rules.errors import RuleFileError
from otelkit_stack.rules.files import load, read
from otelkit_stack.rules.manager import read_all
from otelkit_stack.rules.model import AlertingRule, Group, RecordingRule
from tests.backends import program

GOOD = """
groups:
  - name: shop
    interval: 30s
    limit: 5
    query_offset: 1m
    labels: {team: shop, tier: "1"}
    rules:
      - record: shop:requests:rate5m
        expr: sum(rate(requests_total[5m]))
        labels: {tier: "2"}
      - alert: TooMany
        expr: |
          shop:requests:rate5m
            > 10
        for: 1m30s
        keep_firing_for: 5m
        labels: {severity: page}
        annotations: {summary: "{{ $value }} requests"}
  - name: empty
"""

BAD = """
groups:
  - name: one
    rules:
      - record: a
        alert: b
        expr: up
      - expr: up
      - alert: C
      - alert: D
        expr: sum(
      - record: e{x="1"}
        expr: up
        for: 1m
        annotations: {x: y}
      - alert: F
        expr: up
        labels: {__name__: x}
        annotations: {summary: "{{ $nothing }}"}
  - name: one
    rules: []
  - rules: []
"""

BROKEN = [
    "groups: 5",
    "groups:\n  - name: a\n    nonsense: 1\n    rules: []",
    "groups:\n  - name: a\n    rules:\n      - record: x\n        expr: up\n        fore: 1m",
    "groups:\n  - name: a\n    interval: 5 minutes\n    rules: []",
    "groups:\n  - name: a\n    rules: [1]",
    "groups:\n  - name: a\n  name: b",
    "a: b: c",
    "[]",
]


def test_a_file_is_read_with_all_its_fields() -> None:
    shared = {"team": "shop", "tier": "1"}
    assert read(GOOD, "rules.yaml") == [
        Group(
            "shop",
            "rules.yaml",
            (
                RecordingRule("shop:requests:rate5m", "sum(rate(requests_total[5m]))", Labels.of({**shared, "tier": "2"})),
                AlertingRule(
                    "TooMany",
                    "shop:requests:rate5m\n  > 10\n",
                    90_000,
                    300_000,
                    Labels.of({**shared, "severity": "page"}),
                    Labels.of({"summary": "{{ $value }} requests"}),
                ),
            ),
            30_000,
            60_000,
            5,
        ),
        Group("empty", "rules.yaml", ()),
    ]
    assert read("", "empty.yaml") == read("groups:\n", "empty.yaml") == []


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(RuleFileError) as refused:
        read(BAD, "rules.yaml")
    assert list(refused.value.problems) == [
        f"rules.yaml: {problem}"
        for problem in (
            """5:17: group "one", rule 1, "b": only one of 'record' and 'alert' must be set""",
            """8:9: group "one", rule 2, "": one of 'record' or 'alert' must be set""",
            """9:9: group "one", rule 3, "C": field 'expr' must be set in rule""",
            """11:15: group "one", rule 4, "D": could not parse expression: 1:5: parse error: unclosed left parenthesis""",
            """12:17: group "one", rule 5, "e{x=\\"1\\"}": invalid field 'annotations' in recording rule""",
            """12:17: group "one", rule 5, "e{x=\\"1\\"}": invalid field 'for' in recording rule""",
            """12:17: group "one", rule 5, "e{x=\\"1\\"}": braces present in the recording rule name; should it be in expr?: e{x="1"}""",
            """18:17: group "one", rule 6, "F": invalid label name: __name__""",
            """16:9: group "one", rule 6, "F": annotation "summary": undefined variable "$nothing\"""",
            """20:5: groupname: "one" is repeated in the same file""",
            """22:5: Groupname must not be empty""",
        )
    ]


@pytest.mark.parametrize("text", BROKEN)
def test_what_is_no_rule_file_is_refused(text: str) -> None:
    with pytest.raises(RuleFileError, match=r"^rules.yaml: "):
        read(text, "rules.yaml")


def test_files_that_are_not_there_are_named(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(GOOD)
    bad.write_text(BROKEN[0])
    assert [group.name for group in load(good)] == ["shop", "empty"]
    with pytest.raises(RuleFileError) as refused:
        read_all([tmp_path / "none.yaml", good, bad])
    assert [problem.partition(": ")[0] for problem in refused.value.problems] == [str(tmp_path / "none.yaml"), str(bad)]


@pytest.mark.backends
@pytest.mark.parametrize("text", [GOOD, BAD, *BROKEN])
def test_promtool_accepts_and_refuses_the_same_files(text: str, tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(text)
    answer = subprocess.run([program("promtool"), "check", "rules", str(file)], check=False, capture_output=True, text=True)
    assert (answer.returncode == 0) is (text == GOOD), answer.stdout + answer.stderr
