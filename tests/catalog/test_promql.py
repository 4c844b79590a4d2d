"""Builders give the PromQL one would write by hand, and refuse what makes no sense."""

from __future__ import annotations

import promql_parser
import pytest

from otelkit.catalog import promql as q
from otelkit.catalog.labels import DB_NAMESPACE, HTTP_RESPONSE_STATUS_CODE, HTTP_ROUTE, SERVICE_NAME, SIGNAL
from otelkit.catalog.metrics import (
    ERRORS_CAPTURED,
    HTTP_SERVER_ACTIVE_REQUESTS,
    HTTP_SERVER_REQUEST_DURATION,
    TARGET_INFO,
    TELEMETRY_CREATED,
    Kind,
    Metric,
)

DURATION = HTTP_SERVER_REQUEST_DURATION
COUNT, BUCKET = "http_server_request_duration_seconds_count", "http_server_request_duration_seconds_bucket"
FAILED = [q.matches(HTTP_RESPONSE_STATUS_CODE, "5..")]


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (q.rate(DURATION, window="5m"), "sum(rate(http_server_request_duration_seconds_count[5m]))"),
        (q.rate(ERRORS_CAPTURED), "sum(rate(errors_captured_total[$__rate_interval]))"),
        (
            q.rate(DURATION, by=[SERVICE_NAME], where=FAILED, window="1m"),
            f'sum by (service_name) (rate({COUNT}{{http_response_status_code=~"5.."}}[1m]))',
        ),
        (q.rate(DURATION, window="5m", offset="1w"), "sum(rate(http_server_request_duration_seconds_count[5m] offset 1w))"),
        (q.total(HTTP_SERVER_ACTIVE_REQUESTS), "sum(http_server_active_requests)"),
        (
            q.quantile(0.95, DURATION, by=[HTTP_ROUTE], window="5m"),
            f"histogram_quantile(0.95, sum by (le, http_route) (rate({BUCKET}[5m])))",
        ),
        (q.within(0.5, DURATION, window="5m"), 'sum(rate(http_server_request_duration_seconds_bucket{le="0.5"}[5m]))'),
        (q.present(TARGET_INFO, by=[SERVICE_NAME], offset="1h"), "group by (service_name) (target_info offset 1h)"),
        (1 - q.rate(DURATION, window="5m") / 2, "1 - sum(rate(http_server_request_duration_seconds_count[5m])) / 2"),
        ((1 - q.rate(DURATION, window="5m")) / 2, "(1 - sum(rate(http_server_request_duration_seconds_count[5m]))) / 2"),
        (q.number(1) - (q.number(2) - 3), "1 - (2 - 3)"),
        (q.equals(HTTP_ROUTE, 'a"b\\c'), 'http_route="a\\"b\\\\c"'),
    ],
)  # fmt: skip
def test_an_expression_reads_as_written_by_hand(expression, text):
    assert str(expression) == text


def test_a_ratio_is_zero_without_errors_and_nothing_without_traffic():
    ratio = q.ratio(q.rate(DURATION, where=FAILED, window="5m"), q.rate(DURATION, window="5m"))
    whole = "sum(rate(http_server_request_duration_seconds_count[5m]))"
    part = 'sum(rate(http_server_request_duration_seconds_count{http_response_status_code=~"5.."}[5m]))'
    assert str(ratio) == f"({part} or 0 * {whole}) / ({whole} > 0)"
    promql_parser.parse(str(ratio))


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: q.quantile(0.9, ERRORS_CAPTURED), TypeError, r"needs a histogram, but errors.captured is a counter. Use rate\(\) for it."),
        (lambda: q.quantile(0.9, HTTP_SERVER_ACTIVE_REQUESTS), TypeError, "is an? up down counter"),
        (lambda: q.quantile(95, DURATION), ValueError, "between 0 and 1; it is 95"),
        (lambda: q.rate(HTTP_SERVER_ACTIVE_REQUESTS), TypeError, r"Use total\(\)"),
        (lambda: q.total(DURATION), TypeError, r"Use rate\(\) for it"),
        (lambda: q.rate(DURATION, by=[DB_NAMESPACE]), TypeError, "http.server.request.duration has no label db.namespace"),
        (lambda: q.rate(DURATION, where=[q.equals(SIGNAL, "traces")]), TypeError, "has no label signal"),
        (lambda: q.equals(SIGNAL, "profiles"), ValueError, "signal is never 'profiles'; it is one of traces, metrics, logs"),
        (lambda: q.within(0.3, DURATION), ValueError, "has no bucket 0.3; it has 0.005"),
        (lambda: q.within(1.0, DURATION), ValueError, "spelled differently over OTLP and by scrape"),
        (lambda: q.mean(TELEMETRY_CREATED), TypeError, "needs a histogram"),
        (lambda: Metric("a.b", Kind.GAUGE, "1", "Help."), ValueError, 'unit "1" is spelled differently'),
        (lambda: Metric("a.b", Kind.HISTOGRAM, "s", "Help."), ValueError, "every histogram has them"),
        (lambda: Metric("a.b", Kind.HISTOGRAM, "s", "Help.", buckets=(2.0, 1.0)), ValueError, "buckets must rise"),
    ],
)  # fmt: skip
def test_nonsense_is_refused_with_the_way_on(build, error, message):
    with pytest.raises(error, match=message):
        build()
