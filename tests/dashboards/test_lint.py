"""Each rule finds the fault it is for, says where, and stays silent about a good board."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from otelkit.catalog.boards import ENDPOINT
from otelkit.catalog.labels import HTTP_ROUTE, SERVICE_NAME
from otelkit.catalog.logql import LogExpr
from otelkit.catalog.metrics import HTTP_SERVER_REQUEST_DURATION, TARGET_INFO
from otelkit.catalog.promql import RANGE, rate
from otelkit.catalog.traceql import TraceExpr
from otelkit_dashboards.boards import BOARDS
from otelkit_dashboards.boards.choices import CHOSEN, ENVIRONMENT, SERVICE
from otelkit_dashboards.grafana import for_provisioning
from otelkit_dashboards.lint import RULES, lint
from otelkit_dashboards.model import Dashboard, Row
from otelkit_dashboards.panels import Column, Exemption, Query, Stat, Table, Thresholds, Unit, to
from tests.dashboards.faults import BOARD, PANEL, asks, board_with, panel

FAULTY_BOARDS: dict[str, Dashboard] = {
    "title": board_with(panel(title=" ")),
    "description": board_with(panel(act="Look.")),
    "unit": board_with(panel(unit=None)),
    "no-value": board_with(panel(missing="")),
    "threshold-is-objective": board_with(panel(thresholds=Thresholds(critical=0.123))),
    "promql-parses": board_with(asks("sum(")),
    "rate-interval": board_with(asks("sum(rate(http_server_request_duration_seconds_count[5m]))")),
    "counter-under-rate": board_with(asks("sum(errors_captured_total)")),
    "in-catalogue": board_with(asks("sum(http_requests)")),
    "label-in-catalogue": board_with(panel(queries=(Query(LogExpr('{service_name=~"$service"} | levle="error"')),))),
    "choice-in-catalogue": replace(BOARD, variables=(ENVIRONMENT, replace(SERVICE, label=HTTP_ROUTE, source=TARGET_INFO))),
    "bucket-bound": board_with(asks('sum(rate(http_server_request_duration_seconds_bucket{le="1"}[$__rate_interval]))')),
    "variable-exists": board_with(asks('sum(target_info{service_name=~"$sevrice"})')),
    "variable-used": replace(BOARD, rows=(Row("row", "Row", (asks("sum(target_info)"),)),)),
    "multi-pattern": board_with(asks('sum(target_info{service_name="$service"})')),
}


def _first_panel(written: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = written["panels"][1]
    return found


def _pie(written: dict[str, Any]) -> None:
    _first_panel(written)["type"] = "piechart"


def _hard_coded_source(written: dict[str, Any]) -> None:
    _first_panel(written)["targets"][0]["datasource"]["uid"] = "prometheus"


def _twins(written: dict[str, Any]) -> None:
    written["panels"].append(_first_panel(written) | {"gridPos": {"x": 12, "y": 1, "w": 12, "h": 8}})


def _one_over_the_other(written: dict[str, Any]) -> None:
    written["panels"].append(_first_panel(written) | {"id": 7})


def _link_to_nowhere(written: dict[str, Any]) -> None:
    _first_panel(written)["fieldConfig"]["defaults"]["links"] = [{"title": "", "url": "/d/gone?${__url_time_range}"}]


FAULTY_FILES: dict[str, Callable[[dict[str, Any]], None]] = {
    "no-pie": _pie,
    "data-source": _hard_coded_source,
    "unique-ids": _twins,
    "no-overlap": _one_over_the_other,
    "link-resolves": _link_to_nowhere,
}


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.fact.uid)
def test_every_board_passes_every_rule(board: Dashboard) -> None:
    """D5."""
    assert [str(finding) for finding in lint(board)] == []


def test_a_good_board_has_no_findings() -> None:
    assert lint(BOARD) == ()


def test_every_rule_has_a_planted_fault() -> None:
    assert {rule.name for rule in RULES} == {*FAULTY_BOARDS, *FAULTY_FILES}


@pytest.mark.parametrize("rule", FAULTY_BOARDS)
def test_a_rule_finds_the_fault_planted_in_a_board(rule: str) -> None:
    assert {finding.rule for finding in lint(FAULTY_BOARDS[rule])} == {rule}


@pytest.mark.parametrize("rule", FAULTY_FILES)
def test_a_rule_finds_the_fault_planted_in_the_json(rule: str) -> None:
    written = for_provisioning(BOARD)
    FAULTY_FILES[rule](written)

    assert {finding.rule for finding in lint(BOARD, written)} == {rule}


@pytest.mark.parametrize(
    ("promql", "message"),
    [
        ('sum(target_info{http_route="/"})', "target_info has no label http_route"),
        ("sum by (http_route) (target_info)", "target_info has no label http_route to group by"),
        ("sum(target_info) and on (http_route) sum(process_uptime_seconds)", "has no label http_route to group by"),
        ('sum(rate(http_server_request_duration_seconds_count{le="0.5"}[$__rate_interval]))', "has no label le"),
    ],
)
def test_labels_that_a_metric_does_not_have_are_found_wherever_they_stand(promql: str, message: str) -> None:
    findings = lint(board_with(asks(promql)))

    assert any(message in finding.message for finding in findings), findings


def test_an_attribute_that_spans_do_not_have_is_found() -> None:
    planted = panel(queries=(Query(TraceExpr('{ span.http.rout="/" }')),))

    assert [finding.message for finding in lint(board_with(planted))] == ["spans have no attribute span.http.rout"]


def test_lines_counted_over_a_fixed_window_are_found() -> None:
    """A fixed window counts some lines twice and misses others as soon as the range changes."""
    planted = panel(queries=(Query(LogExpr('sum(count_over_time({service_name=~"$service"} [5m]))')),))

    assert [finding.rule for finding in lint(board_with(planted))] == ["rate-interval"]


def test_the_whole_range_is_a_window_for_one_number_and_not_for_a_line() -> None:
    expr = rate(HTTP_SERVER_REQUEST_DURATION, where=CHOSEN, window=RANGE)

    assert lint(board_with(panel(queries=(Query(expr, instant=True),)))) == ()
    assert [finding.rule for finding in lint(board_with(panel(queries=(Query(expr),))))] == ["rate-interval"]


def test_counting_the_series_of_a_counter_is_not_reading_its_value() -> None:
    assert lint(board_with(asks("count(errors_captured_total)"))) == ()


def test_a_threshold_of_a_column_must_be_an_objective_too() -> None:
    column = Column("rate", "Requests", rate(HTTP_SERVER_REQUEST_DURATION, by=[SERVICE_NAME]), Unit.REQUESTS_PER_SECOND, Thresholds(42))
    table = Table(
        key="planted",
        title="Requests",
        help="Requests a second.",
        act="Look at the proxy when they stop.",
        missing="No requests in this time range.",
        by=((SERVICE_NAME, "Service"),),
        columns=(column,),
    )

    assert [finding.message for finding in lint(board_with(table))] == [
        "draws a threshold at 42, which is none of otelkit.catalog.objectives"
    ]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("https://example.org", "which is no board"),
        ("/d/otelkit-endpoint?var-rout=${__field.labels.http_route:percentencode}", "sets var-rout, which otelkit-endpoint does not have"),
        ("/d/otelkit-endpoint?var-route=${__field.labels.http_route}", "without :percentencode"),
        ("/d/otelkit-endpoint?${route:queryparam}", "carries $route over, which not both boards have"),
    ],
)
def test_a_link_is_followed_down_to_its_variables(url: str, message: str) -> None:
    written = for_provisioning(BOARD)
    _first_panel(written)["fieldConfig"]["defaults"]["links"] = [{"title": "", "url": url}]

    (finding,) = lint(BOARD, written)
    assert message in finding.message


def test_a_link_made_by_the_model_resolves() -> None:
    linked = replace(PANEL, key="linked", links=(to(ENDPOINT, "Open", route=HTTP_ROUTE),))

    assert lint(board_with(linked)) == ()


def test_an_exemption_silences_its_rule_at_its_panel_alone() -> None:
    fixed = asks('sum(rate(errors_captured_total{service_name=~"$service"}[5m]))')
    excused = replace(fixed, exemptions=(Exemption("rate-interval", "The alert asks for five minutes."),))

    assert lint(board_with(excused)) == ()
    assert [finding.panel for finding in lint(board_with(excused, replace(fixed, key="other")))] == ["other"]


@pytest.mark.parametrize("rule", ["rate-interval", "rate-intervall"])
def test_an_exemption_that_nothing_needs_is_a_finding(rule: str) -> None:
    """Otherwise a misspelled or outdated one would stay for ever."""
    needless = panel(exemptions=(Exemption(rule, "Just in case."),))

    assert [finding.rule for finding in lint(board_with(needless))] == ["exemption"]


def test_an_exemption_without_a_reason_cannot_be_written() -> None:
    with pytest.raises(ValueError, match='The exemption from "unit" needs a reason'):
        Exemption("unit", " ")


def test_a_finding_names_board_panel_fault_and_rule() -> None:
    (finding,) = lint(board_with(panel(missing="")))

    assert str(finding).startswith("otelkit-service-overview/planted: missing must be a sentence")
    assert str(finding).endswith("[no-value]")


def test_a_threshold_means_something_only_in_its_unit() -> None:
    """14.4 is a burn factor; as a share or a time it would be a coincidence."""
    burning = Stat(**{name: getattr(PANEL, name) for name in ("title", "help", "act", "missing", "queries")}, key="planted")
    factor = replace(burning, unit=Unit.TIMES, thresholds=Thresholds(critical=14.4))
    share = replace(burning, unit=Unit.SHARE, thresholds=Thresholds(critical=14.4))

    assert lint(board_with(factor)) == ()
    assert [finding.rule for finding in lint(board_with(share))] == ["threshold-is-objective"]
