"""Every generated file with its text: what ``python -m otelkit_alerts render`` writes, and what the tests compare."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from otelkit_alerts import documents
from otelkit_alerts.alertmanager import snippet
from otelkit_alerts.cases import SUITES
from otelkit_alerts.document import MARK
from otelkit_alerts.groups import alerts, groups
from otelkit_alerts.links import Links
from otelkit_alerts.model import Recording
from otelkit_alerts.pace import PACES, PRODUCTION, Pace
from otelkit_alerts.prometheus import rule_file
from otelkit_alerts.promtool import unit_tests


def generated(links: Links) -> dict[str, str]:
    """Rules, their tests and the snippet for Alertmanager, by path below ``alerts/generated``."""
    rules = {f"prometheus/{_file_name(pace)}": rule_file(groups(pace), pace, links) for pace in PACES}
    tests = {
        f"tests/{name}.test.yaml": unit_tests(suite, rule_file=f"../prometheus/{_file_name(suite.pace)}", links=links)
        for name, suite in SUITES.items()
    }
    return rules | tests | {"alertmanager.snippet.yml": snippet()}


def refreshed(folder: Path) -> dict[str, str]:
    """Runbooks and README with their generated parts as they are now, by path below ``folder``.

    Raises FileNotFoundError for an alert without runbook, ValueError for a document without the place for such a part.
    """
    texts = {}
    for name in dict.fromkeys(alert.name for alert in alerts(PRODUCTION)):
        same = [alert for alert in alerts(PRODUCTION) if alert.name == name]
        path = folder / "runbooks" / same[0].runbook
        if not path.exists():
            raise FileNotFoundError(f"{name} needs a runbook: write {path}.")
        texts[f"runbooks/{same[0].runbook}"] = documents.runbook(path.read_text(), same)
    recordings = [rule for group in groups(PRODUCTION) for rule in group.rules if isinstance(rule, Recording)]
    texts["README.md"] = documents.readme((folder / "README.md").read_text(), alerts(PRODUCTION), recordings)
    return texts


def differences(folder: Path, files: Mapping[str, str]) -> list[str]:
    """What in ``folder`` is not as rendered: one sentence for each file that is missing or stale."""
    complaints = []
    for name, text in files.items():
        path = folder / name
        if not path.exists():
            complaints.append(f"{path} is missing.")
        elif path.read_text() != text:
            complaints.append(f"{path} is stale.")
    return complaints


def left_over(folder: Path, files: Mapping[str, str]) -> list[Path]:
    """Files of an earlier rendering that belong to none of ``files``."""
    found = sorted((*folder.rglob("*.yaml"), *folder.rglob("*.yml")))
    return [path for path in found if str(path.relative_to(folder)) not in files and MARK in path.read_text()]


def _file_name(pace: Pace) -> str:
    return "otelkit.rules.yaml" if pace is PRODUCTION else f"otelkit.{pace.name}.rules.yaml"
