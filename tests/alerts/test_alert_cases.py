"""The promtool suites: complete in Python, green under promtool, and red when a rule is broken on purpose."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from otelkit_alerts.__main__ import ROOM
from otelkit_alerts.alertmanager import snippet
from otelkit_alerts.cases import SUITES
from otelkit_alerts.cases.model import Firing, Service, Situation, counter
from otelkit_alerts.groups import alerts
from otelkit_alerts.links import Links
from otelkit_alerts.model import Severity
from otelkit_alerts.pace import PACES, PRODUCTION
from otelkit_alerts.promtool import expanded
from otelkit_alerts.render import generated
from tests.backends import program

CASES = [case for suite in SUITES.values() for case in suite.cases]
PRODUCTION_CASES = [case for suite in SUITES.values() if suite.pace is PRODUCTION for case in suite.cases]

# The Watchdog fires in every situation; silence, low traffic and recovery are what it must not have.
EXPECTED = {
    (alert.name, situation)
    for alert in alerts()
    for situation in Situation
    if alert.severity is not Severity.NONE or situation in (Situation.FIRING, Situation.ABSENT)
}


def test_every_alert_is_tried_in_every_situation():
    """D3: firing, silent, absent, low traffic and recovery."""
    assert {(case.alert, case.situation) for case in PRODUCTION_CASES} == EXPECTED


def test_every_rule_fires_somewhere_at_its_own_pace():
    for pace in PACES:
        fired = {
            _rule(firing)
            for suite in SUITES.values()
            if suite.pace is pace
            for case in suite.cases
            for check in case.checks
            for firing in check.firing
        }
        rules = {(alert.name, *sorted(alert.labels.items())) for alert in alerts(pace)}
        if pace is PRODUCTION:
            assert fired == rules
        else:
            # The demo's suite shows its pace; that each rule works is shown once, at production's.
            assert {name for name, *_ in fired} == {
                "DjangoErrorBudgetBurn",
                "DjangoLatencyBudgetBurn",
                "DjangoTrafficGone",
                "ServiceTelemetryMissing",
                "TelemetryExportFailing",
            }


def test_situations_mean_what_they_say():
    for case in PRODUCTION_CASES:
        fires = [bool(check.firing) for check in case.checks]
        if case.alert == "Watchdog":
            assert all(fires)
        elif case.situation is Situation.FIRING:
            assert any(fires), case.name
        elif case.situation is Situation.RECOVERY:
            assert fires[0], case.name
            assert not fires[-1], case.name
        else:
            assert not any(fires), case.name


def test_case_names_are_unique_because_promtool_selects_by_them():
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)


def test_counters_continue_where_they_stood():
    assert counter((60, 80)) == "0 80+80x59"
    assert counter((2, 5), (3, 0), (1, 7)) == "0 5+5x1 10+0x2 17+7x0"


def test_templates_are_filled_in_as_prometheus_does():
    (gone,) = (alert for alert in alerts() if alert.name == "DjangoTrafficGone")
    firing = Firing(gone, Service("a & b").labels, "0.90")
    assert expanded("{{ $labels.service_name }} {{ $value | humanize }}", firing) == "a & b 0.90"
    assert expanded("?s={{ $labels.service_name | urlquery }}", firing) == "?s=a+%26+b"


@pytest.mark.backends
@pytest.mark.parametrize("suite", SUITES)
def test_promtool_agrees(suite: str):
    """D3."""
    result = _promtool("test", "rules", str(ROOM / f"generated/tests/{suite}.test.yaml"))
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.backends
def test_promtool_finds_no_fault_in_the_rule_files():
    files = sorted(map(str, (ROOM / "generated/prometheus").glob("*.yaml")))
    assert len(files) == len(PACES)
    for file in files:
        result = _promtool("check", "rules", "--lint=all", "--lint-fatal", file)
        assert result.returncode == 0, result.stdout + result.stderr


PLANTED = [
    ("DjangoErrorBudgetBurn, firing: fires for 1h", 'status_code=~"5.."', 'status_code=~"4.."'),
    ("DjangoErrorBudgetBurn, firing: fires for 1h", "14.4 * 0.001", "1440 * 0.001"),
    ("DjangoErrorBudgetBurn, firing: fires for 6h", "> 6 * 0.001", "> 60 * 0.001"),
    ("DjangoErrorBudgetBurn, firing: fires for 1h", "for: 2m", "for: 1m"),
    ("DjangoErrorBudgetBurn, firing: pages for a short outage", "ratio_rate5m{", "ratio_rate1h{"),
    ("DjangoErrorBudgetBurn, silent: is quiet about a healthy", "or 0 *", "or 1 *"),
    ("DjangoErrorBudgetBurn, silent: is quiet when half", "> 1 * 0.001", "> 0.4 * 0.001"),
    ("DjangoErrorBudgetBurn, low traffic", "> 0.02", "> 0.002"),
    ("DjangoErrorBudgetBurn, absent: is quiet about an idle", "[1h])) > 0)", "[1h])))"),
    ("DjangoErrorBudgetBurn, firing: fires for 1h", "{{ $labels.service_owner }}", "nobody"),
    ("DjangoErrorBudgetBurn, firing: fires for 1h", "humanizePercentage", "humanize"),
    ("DjangoLatencyBudgetBurn, firing: fires for 1h", 'le="0.5"', 'le="0.25"'),
    ("DjangoLatencyBudgetBurn, recovery: clears for 1h", "keep_firing_for: 5m", "keep_firing_for: 1d"),
    ("DjangoTrafficGone, silent: leaves a service", "and on (service_name, deployment_environment_name) group", "or group"),
    ("DjangoTrafficGone, firing: fires when a living", "unless on", "and on"),
    ("DjangoTrafficGone, low traffic", "> 0.02", "> 0.002"),
    ("DjangoTrafficGone, recovery", "[5m])) > 0", "[5m])) > 99"),
    ("ServiceTelemetryMissing, silent: is quiet when another", "unless on (service_name, deployment_environment_name)", "unless"),
    ("ServiceTelemetryMissing, firing: fires for the service", "target_info[5m]", "target_info[30m]"),
    ("ServiceTelemetryMissing, firing: fires with links", " | urlquery", ""),
    ("ServiceTelemetryMissing, recovery: forgets", "target_info[1h]", "target_info[2h]"),
    ("TelemetryExportFailing, firing: tells", "[1h])) > 0", "[5m])) > 0"),
    ("TelemetryExportFailing, silent: is quiet about metrics", 'reason!="unreachable"', 'reason!="other"'),
    ("TelemetryExportFailing, silent: is quiet when one export", "> 0.1", "> 0.01"),
    ("TelemetryExportFailing, low traffic", "> 0.02", "> 0.002"),
    ("RetryStorm, low traffic", "> 0.02", "> 0.002"),
    ("DegradedRatioHigh, silent", "> 0.05", "> 0.01"),
    ("ReplicaSkew, silent", "> 1.8", "> 1.1"),
    ("SagaStuck, silent: is quiet about sagas", "running|compensating", "running|compensating|waiting"),
    (
        "ConsumerStopped, firing: fires when a consumer",
        "unless on (service_name, deployment_environment_name, consumer)",
        "and on (consumer)",
    ),
    (
        "ConsumerStopped, silent: is quiet about a consumer when",
        "and on (deployment_environment_name)",
        "or on (deployment_environment_name)",
    ),
    ("ConsumerStopped, low traffic", "> 0.02", "> 0.002"),
    ("CompensationRatioHigh, silent", "> 0.1", "> 0.01"),
    ("LoginFailuresHigh, firing: fires when somebody", "> 0.5", "> 5"),
    ("TokenRejectionRatioHigh, silent", "> 0.01", "> 0.001"),
    ("SigningKeysUnavailable, silent", "unless on", "and on"),
    ("ApiUsedAfterSunset, silent", "< time()", "< 100 * time() + 1e9"),
    ("ApiContractBroken, silent", 'direction="response"', 'direction="request"'),
    ("Watchdog, absent", "vector(1)", "target_info"),
]


@pytest.mark.backends
@pytest.mark.parametrize(("case", "right", "wrong"), PLANTED, ids=[f"{case}-{right}" for case, right, _ in PLANTED])
def test_a_rule_that_is_broken_on_purpose_fails_its_test(case: str, right: str, wrong: str, tmp_path: Path):
    """What a suite cannot notice, it does not test: each planted fault must turn the named case red."""
    for name, text in generated(Links()).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    rules = tmp_path / "prometheus/otelkit.rules.yaml"
    alert = case.split(",")[0]
    suite = next(name for name, suite in SUITES.items() if any(known.alert == alert for known in suite.cases))
    command = ("test", "rules", f"--run={case}", str(tmp_path / f"tests/{suite}.test.yaml"))
    assert _promtool(*command).returncode == 0
    assert right in rules.read_text()
    rules.write_text(rules.read_text().replace(right, wrong))
    result = _promtool(*command)
    assert result.returncode == 1, "The broken rule passes."
    assert "FAILED" in result.stderr + result.stdout


@pytest.mark.backends
@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        ("alertname=Watchdog severity=none", "dead-mans-switch"),
        ("alertname=DjangoTrafficGone severity=critical", "pager"),
        ("alertname=TelemetryExportFailing severity=warning", "tickets"),
        ("alertname=Something severity=info", "nobody"),
        ("alertname=SomebodyElses", "tickets"),
    ],
)
def test_alertmanager_routes_by_severity(labels: str, receiver: str, tmp_path: Path):
    config = tmp_path / "alertmanager.yml"
    config.write_text(snippet())
    checked = subprocess.run([program("amtool"), "check-config", str(config)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    routed = subprocess.run(
        [program("amtool"), "config", "routes", "test", f"--config.file={config}", *labels.split()],
        capture_output=True,
        text=True,
        check=False,
    )
    assert routed.stdout.strip() == receiver


def _rule(firing: Firing) -> tuple[object, ...]:
    return (firing.alert.name, *sorted(firing.alert.labels.items()))


def _promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([program("promtool"), *arguments], capture_output=True, text=True, check=False)
