"""What must hold for every board: the rules of Grafana's dashboard linter that fit us, and our own.

A rule looks at the board as we wrote it and at the JSON that Grafana gets. A panel may break a rule only with an
:class:`~otelkit_dashboards.panels.Exemption` that gives a reason; an exemption that nothing needs is a finding itself.
"""

from otelkit_dashboards.lint.check import RULES, lint
from otelkit_dashboards.lint.rule import Finding, Rule

__all__ = ["RULES", "Finding", "Rule", "lint"]
