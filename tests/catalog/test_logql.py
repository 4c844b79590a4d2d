"""LogQL and TraceQL builders put each condition where its language wants it, and refuse what does not exist."""

from __future__ import annotations

import pytest

from otelkit.catalog import logql, traceql
from otelkit.catalog.labels import DB_QUERY_TEXT, DEPLOYMENT_ENVIRONMENT_NAME, HTTP_ROUTE, SERVICE_NAME, SERVICE_VERSION, Label
from otelkit.catalog.promql import differs, equals, matches

UNKNOWN = Label("colour", "Nobody records it.")
ORDERS = equals(SERVICE_NAME, "orders")


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (logql.lines(ORDERS), '{service_name="orders"}'),
        (
            logql.lines(ORDERS, matches(DEPLOYMENT_ENVIRONMENT_NAME, "prod.*")),
            '{service_name="orders", deployment_environment_name=~"prod.*"}',
        ),
        (
            # The version is of the resource too, but Loki does not index it.
            logql.lines(equals(HTTP_ROUTE, "/a"), ORDERS, differs(SERVICE_VERSION, "1"), equals(logql.EVENT_NAME, "http.request")),
            '{service_name="orders"} | http_route="/a" | service_version!="1" | event_name="http.request"',
        ),
        (logql.count_lines(ORDERS), 'sum(count_over_time({service_name="orders"} [$__auto]))'),
        (
            logql.line_rate(ORDERS, by=[SERVICE_NAME, logql.DETECTED_LEVEL], window="5m"),
            'sum by (service_name, detected_level) (rate({service_name="orders"} [5m]))',
        ),
        (logql.lines(equals(SERVICE_NAME, 'a"\\')), '{service_name="a\\"\\\\"}'),
    ],
)
def test_logql_reads_as_one_would_write_it(expression: logql.LogExpr, text: str) -> None:
    assert str(expression) == text


def test_a_log_query_over_everything_is_refused() -> None:
    with pytest.raises(ValueError, match=r"one of service\.name, service\.namespace, deployment\.environment\.name"):
        logql.lines(equals(HTTP_ROUTE, "/a"))


def test_a_label_that_log_lines_do_not_have_is_refused() -> None:
    with pytest.raises(TypeError, match="Log lines have no label colour"):
        logql.lines(ORDERS, equals(UNKNOWN, "red"))
    with pytest.raises(TypeError, match="Log lines have no label colour"):
        logql.count_lines(ORDERS, by=[UNKNOWN])


def test_a_level_that_loki_never_detects_is_refused() -> None:
    with pytest.raises(ValueError, match="detected_level is never 'warning'"):
        equals(logql.DETECTED_LEVEL, "warning")


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (traceql.spans(), "{}"),
        (traceql.spans(ORDERS, status="error"), '{ resource.service.name="orders" && status=error }'),
        (
            traceql.spans(ORDERS, equals(HTTP_ROUTE, "/orders/{pk}"), kind="server", longer_than=0.5),
            '{ resource.service.name="orders" && span.http.route="/orders/{pk}" && kind=server && duration>500ms }',
        ),
        (traceql.spans(longer_than=0.0005), "{ duration>0.5ms }"),
        (
            traceql.spans(ORDERS).having_below(traceql.spans(status="error")).select(SERVICE_NAME, DB_QUERY_TEXT),
            '{ resource.service.name="orders" } >> { status=error } | select(resource.service.name, span.db.query.text)',
        ),
        (traceql.by_id("$trace_id"), "$trace_id"),
    ],
)
def test_traceql_reads_as_one_would_write_it(expression: traceql.TraceExpr, text: str) -> None:
    assert str(expression) == text


def test_an_attribute_that_spans_do_not_have_is_refused() -> None:
    with pytest.raises(TypeError, match="Spans have no attribute colour"):
        traceql.spans(equals(UNKNOWN, "red"))
