"""Rules as values: complete, readable by Prometheus, and built from names that exist."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import yaml

from otelkit.catalog.boards import BOARDS
from otelkit.catalog.labels import SEVERITY, SLO
from otelkit.catalog.objectives import BURN_WINDOWS, LATENCY, OBJECTIVES, TRAFFIC_FLOOR, Objective
from otelkit.catalog.promql import always
from otelkit_alerts.groups import alerts, groups
from otelkit_alerts.links import Links
from otelkit_alerts.model import Alert, Category, Recording, Severity
from otelkit_alerts.pace import DEMO, PACES, PRODUCTION, Pace, seconds
from otelkit_alerts.prometheus import annotations_of, labels_of, laid_out, rule_file
from otelkit_alerts.slo import bad, base_window, windows
from tests.alerts.promql_reading import KNOWN, selectors, strangers

EVERY_ALERT = [
    pytest.param(alert, id=f"{pace.name}-{alert.name}-{'-'.join(alert.labels.values())}") for pace in PACES for alert in alerts(pace)
]
EVERY_EXPRESSION = [
    pytest.param(str(rule.expr), id=f"{pace.name}-{group.name}-{number}")
    for pace in PACES
    for group in groups(pace)
    for number, rule in enumerate(group.rules)
]


@pytest.mark.parametrize("alert", EVERY_ALERT)
def test_every_alert_has_severity_owner_board_and_words(alert: Alert):
    """D3: runbook, board link, owner label; the runbook file itself is checked beside the runbooks."""
    assert alert.board in BOARDS
    assert labels_of(alert)["severity"] == alert.severity.value
    assert labels_of(alert)["team"]
    written = annotations_of(alert, Links())
    assert written["runbook_url"] == f"https://github.com/otelkit/otelkit/blob/main/alerts/runbooks/{alert.runbook}"
    assert f"/d/{alert.board.uid}" in written["dashboard_url"]
    assert alert.summary.endswith(".")
    assert len(alert.description) > 80, "The description says what to do first."


@pytest.mark.parametrize("alert", [alert for alert in alerts() if alert.is_about_a_service], ids=lambda alert: alert.name)
def test_links_open_the_board_for_the_service_that_is_meant(alert: Alert):
    address = annotations_of(alert, Links(grafana="https://grafana.example.org"))["dashboard_url"]
    assert address.startswith("https://grafana.example.org/d/otelkit-")
    assert set(re.findall(r"var-(\w+)=", address)) <= set(alert.board.variables)
    assert "var-service={{ $labels.service_name | urlquery }}" in address


@pytest.mark.parametrize("alert", [alert for alert in alerts() if alert.is_about_a_service], ids=lambda alert: alert.name)
def test_the_owner_comes_from_the_service(alert: Alert):
    assert labels_of(alert)["team"] == "{{ $labels.service_owner }}"
    assert "service_owner" in str(alert.expr) or "slo_errors" in str(alert.expr)


@pytest.mark.parametrize("expression", EVERY_EXPRESSION)
def test_every_expression_reads_only_what_the_catalogue_knows(expression: str):
    """D1."""
    assert strangers(expression) == []


@pytest.mark.parametrize("alert", EVERY_ALERT)
def test_the_first_look_of_every_alert_can_be_pasted(alert: Alert):
    pasted = re.sub(r"\{\{ .*? \}\}", "orders", str(alert.first_look))
    assert strangers(pasted) == []


def test_a_misspelled_series_and_a_label_it_lacks_would_be_noticed():
    """The loud case of the checks above."""
    assert strangers("sum(http_server_requests_duration_seconds_count)") == ["http_server_requests_duration_seconds_count"]
    assert strangers('target_info{http_route="/"}') == ["target_info{http_route}"]
    assert [found.series for found in selectors("max_over_time(timestamp(target_info)[1h:1m])")] == ["target_info"]


@pytest.mark.parametrize("alert", [alert for pace in PACES for alert in alerts(pace) if alert.measures_ratio], ids=lambda alert: alert.name)
def test_a_ratio_is_believed_only_above_the_floor_of_traffic(alert: Alert):
    assert str(alert.expr).endswith(f"> {TRAFFIC_FLOOR}")
    assert "and on (" in str(alert.expr)


def test_every_alert_that_divides_says_that_it_measures_a_ratio():
    divides = {alert.name for alert in alerts() if " / " in str(alert.expr) or "ratio_rate" in str(alert.expr)}
    assert divides == {alert.name for alert in alerts() if alert.measures_ratio}


@pytest.mark.parametrize("name", ["DjangoErrorBudgetBurn", "DjangoLatencyBudgetBurn"])
def test_each_row_of_the_burn_table_has_its_rule(name: str):
    rules = [alert for alert in alerts() if alert.name == name]
    assert [(rule.labels["long"], rule.labels["short"], rule.hold) for rule in rules] == [
        (row.long, row.short, row.hold) for row in BURN_WINDOWS
    ]
    assert [rule.severity is Severity.CRITICAL for rule in rules] == [row.pages for row in BURN_WINDOWS]


def test_thresholds_show_factor_and_budget():
    latency = [str(alert.expr) for alert in alerts() if alert.name == "DjangoLatencyBudgetBurn"]
    assert "> 14.4 * 0.01" in latency[0]
    assert "> 1 * 0.01" in latency[-1]


def test_every_objective_is_recorded_and_known_as_a_label_value():
    assert {objective.name for objective in OBJECTIVES} == set(SLO.values)
    recorded = {rule.labels["slo"] for group in groups(PRODUCTION) for rule in group.rules if isinstance(rule, Recording)}
    assert recorded == set(SLO.values)


def test_an_objective_without_a_measure_is_refused_with_the_place_to_write_it():
    with pytest.raises(ValueError, match=r"freshness has no measure; say in otelkit_alerts.slo.bad\(\)"):
        bad(Objective("freshness", 0.99, 30, ""), "5m")


def test_missing_buckets_do_not_look_like_good_latency():
    assert " or " not in str(bad(LATENCY, "5m"))


def test_days_are_read_from_recorded_rates_and_hours_from_raw_series():
    expressions = {rule.series.name: str(rule.expr) for group in groups(PRODUCTION) for rule in group.rules if isinstance(rule, Recording)}
    assert "_duration_seconds_" in expressions["service:slo_errors:ratio_rate6h"]
    assert "_duration_seconds_" not in expressions["service:slo_errors:ratio_rate1d"]
    assert "sum_over_time(service:slo_bad:rate5m" in expressions["service:slo_errors:ratio_rate3d"]


def test_severities_are_those_that_boards_filter_by():
    assert tuple(severity.value for severity in Severity) == SEVERITY.values


def test_the_demo_differs_from_production_in_durations_alone():
    def shape(pace: Pace) -> list[tuple[str, str]]:
        durations = re.compile(r"\b\d+[smhd]\b|rate\d+[smhd]\b|\b(14\.4|6|3|1) \* ")
        rules = [
            (rule.name if isinstance(rule, Alert) else rule.series.name, str(rule.expr)) for group in groups(pace) for rule in group.rules
        ]
        # Hours are read raw and days from recorded series; the demo has no days.
        return sorted({(durations.sub("", name), durations.sub("", text)) for name, text in rules if "sum_over_time" not in text})

    assert shape(DEMO) == shape(PRODUCTION)


def test_every_window_of_the_demo_holds_four_exports():
    for alert in alerts(DEMO):
        for window in re.findall(r"\[(\d+[smhd])", str(alert.expr)):
            assert seconds(window) >= 4 * 5, f"{alert.name} looks at {window}; the demo exports every 5 s."
    assert [seconds(window) >= 20 for window in windows(DEMO)] == [True] * len(windows(DEMO))
    assert base_window(DEMO) == DEMO.recent


def test_alert_names_give_file_names_of_runbooks():
    (gone,) = (alert for alert in alerts() if alert.name == "DjangoTrafficGone")
    assert gone.runbook == "django-traffic-gone.md"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"name": "traffic gone"}, "'traffic gone' is no alert name"),
        ({"hold": "five minutes"}, "hold of Watchdog is 'five minutes'"),
        ({"keep_firing": "1h30m"}, "keep_firing of Watchdog is '1h30m'"),
        ({"labels": {"severity": "page"}}, "Watchdog sets severity as a label"),
    ],
)
def test_a_rule_that_prometheus_would_misread_is_refused(change: dict[str, object], complaint: str):
    watchdog = Alert("Watchdog", Severity.NONE, Category.TELEMETRY, always(), "s.", "d.", always(), BOARDS[0], owner="us")
    assert replace(watchdog, hold="5m").hold == "5m"
    with pytest.raises(ValueError, match=complaint):
        replace(watchdog, **change)


@pytest.mark.parametrize("pace", PACES, ids=lambda pace: pace.name)
def test_rule_files_hold_every_rule_once_and_in_order(pace: Pace):
    text = rule_file(groups(pace), pace, Links())
    assert text.splitlines()[1] == "# Generated by `python -m otelkit_alerts render`; do not edit."
    written = [(rule.get("alert") or rule["record"], rule["expr"]) for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]
    rules = [rule for group in groups(pace) for rule in group.rules]
    assert written == [(rule.name if isinstance(rule, Alert) else rule.series.name, laid_out(rule.expr)) for rule in rules]
    assert text == rule_file(groups(pace), pace, Links())


def test_expressions_use_nothing_younger_than_prometheus_2_53():
    functions = {
        name
        for pace in PACES
        for group in groups(pace)
        for rule in group.rules
        for name in re.findall(r"\b([a-z_]+)(?: by| on)? ?\(", str(rule.expr))
    }
    assert functions == {
        "and",
        "unless",
        "max",
        "max_over_time",
        "avg",
        "time",
        "sum",
        "group",
        "min",
        "rate",
        "increase",
        "sum_over_time",
        "avg_over_time",
        "present_over_time",
        "vector",
    }


def test_known_series_include_what_rules_record():
    assert {"service:slo_errors:ratio_rate5m", "http_server_request_duration_seconds_count", "target_info"} <= set(KNOWN)
