"""Running all rules over a board, exemptions considered."""

from __future__ import annotations

from collections.abc import Iterator

from otelkit_dashboards.grafana import for_provisioning
from otelkit_dashboards.grafana.exports import Json
from otelkit_dashboards.lint import queries, references, words
from otelkit_dashboards.lint.rule import Finding, Rule, Subject
from otelkit_dashboards.model import Dashboard

RULES: tuple[Rule, ...] = (*words.RULES, *queries.RULES, *references.RULES)


def lint(board: Dashboard, written: Json | None = None) -> tuple[Finding, ...]:
    """Everything that is wrong with the board. ``written`` is its JSON, where that is not what the board renders to."""
    subject = Subject(board, written or for_provisioning(board))
    return tuple(_findings(subject))


def _findings(subject: Subject) -> Iterator[Finding]:
    uid = subject.board.fact.uid
    exempt = {(panel.key, exemption.rule) for panel in subject.board.panels for exemption in panel.exemptions}
    needed: set[tuple[str, str]] = set()
    for rule in RULES:
        for key, message in rule.check(subject):
            if (key, rule.name) in exempt:
                needed.add((key, rule.name))
            else:
                yield Finding(uid, key, rule.name, message)
    for key, name in sorted(exempt - needed):
        yield Finding(uid, key, "exemption", f'the exemption from "{name}" is not needed, or no rule has that name')
