"""Reading an expression: what rules and descriptions know about it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from otelkit.catalog.metrics import ERRORS_CAPTURED, HTTP_SERVER_REQUEST_DURATION
from otelkit_dashboards.reading import STAND_INS, Condition, Grouping, metrics_in, read


def test_a_selector_knows_its_conditions_its_function_and_its_window() -> None:
    (selector,) = read('sum(rate(errors_captured_total{service_name=~"$service", handled!="true"}[5m] offset 1w))').selectors

    assert selector.series == "errors_captured_total"
    assert selector.conditions == (Condition("service_name", "=~", "$service"), Condition("handled", "!=", "true"))
    assert (selector.function, selector.window) == ("rate", timedelta(minutes=5))


def test_grafanas_windows_are_told_from_written_ones() -> None:
    windows = [selector.window for selector in read("rate(a[$__rate_interval]) + rate(b[$__range]) + rate(c[1m])").selectors]

    assert windows == [STAND_INS["$__rate_interval"], STAND_INS["$__range"], timedelta(minutes=1)]


def test_groupings_know_the_series_beneath_them() -> None:
    groupings = read("sum by (le, x) (rate(a[1m]) + b) unless on (y) c").groupings

    assert groupings == (Grouping(("le", "x"), frozenset("ab")), Grouping(("y",), frozenset("abc")))


def test_selectors_within_subqueries_and_parentheses_are_seen() -> None:
    (selector,) = read("-(max_over_time(timestamp(target_info)[1h:1m]))").selectors

    assert (selector.series, selector.function) == ("target_info", "timestamp")


def test_metrics_are_named_once_in_the_order_of_the_expression() -> None:
    requests = "http_server_request_duration_seconds"
    expr = f"rate({requests}_bucket[1m]) / rate(errors_captured_total[1m]) + rate({requests}_sum[1m]) + up"

    assert list(metrics_in(expr)) == [HTTP_SERVER_REQUEST_DURATION, ERRORS_CAPTURED]


def test_what_is_no_promql_is_refused() -> None:
    with pytest.raises(ValueError, match="unclosed left parenthesis"):
        read("sum(rate(a[5m])")
