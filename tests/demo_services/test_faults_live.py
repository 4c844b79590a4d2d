"""Every fault on the living demo: what a user sees, and the telemetry that tells of it. That alerts fire is in ``test_alerts_live.py``."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest

from otelkit.catalog import metrics as m
from otelkit.catalog.metrics import Metric
from otelkit.catalog.naming import series_name
from otelkit_demo.faults import BAD_VERSION, FAULTS, SLOW_SECONDS
from otelkit_stack.records import LogRecord, Span
from tests.backends import wait_until
from tests.demo_services.running_demo import RunningDemo
from tests.demo_services.services.shop import Shop

PATIENCE = 40.0
"""Seconds until telemetry must have come: several exports of metrics, on a busy machine."""


@pytest.fixture
def mended(demo: RunningDemo) -> Iterator[RunningDemo]:
    """The demo, whose faults are cleared afterwards, and which sells again before the next test."""
    yield demo
    demo.faults.clear()

    def sells() -> bool:
        # More than once: each worker has breakers of its own, which close after their rest.
        return all(demo.place_order()[0].status_code == 201 for _ in range(5))

    wait_until(sells, 90, "the shop does not sell although no fault is set", every=0.5)


def total(demo: RunningDemo, metric: Metric, **labels: str) -> float:
    """The newest values of all series of the metric with these labels, together."""
    with demo.queries as queries:
        return sum(series.samples[-1][1] for series in queries.series(series_name(metric), **labels) if series.samples)


def grows(demo: RunningDemo, metric: Metric, begin: float, *, by: float = 1, **labels: str) -> None:
    """Wait until the metric is above what it was at the beginning."""
    what = f"{metric.name} {labels}"
    wait_until(lambda: total(demo, metric, **labels) >= begin + by, PATIENCE, f"{what} is not {by} above {begin}", every=0.5)


def span_when(demo: RunningDemo, trace_id: str, condition: Callable[[Span], bool]) -> Span:
    """The first span of the trace that the condition holds for, once it is there."""

    def found() -> Span | None:
        with demo.queries as queries:
            trace = queries.trace(trace_id)
        return next(filter(condition, trace.spans), None) if trace else None

    return wait_until(found, PATIENCE, f"no such span in the trace {trace_id}")


def lines_of(demo: RunningDemo, trace_id: str, service: str, *, at_least: int = 1, text: str = "") -> list[LogRecord]:
    """Log lines of the service in the trace whose text holds ``text``, once there are that many."""

    def found() -> list[LogRecord] | None:
        with demo.queries as queries:
            lines = [line for line in queries.logs(trace_id=trace_id, limit=-1) if line.service == service and text in line.body]
        return lines if len(lines) >= at_least else None

    return wait_until(found, PATIENCE, f"not {at_least} lines of {service} in the trace {trace_id}")


def served_by(service: str) -> Callable[[Span], bool]:
    return lambda span: span.service == service and span.kind == "SERVER"


def failed_in(service: str) -> Callable[[Span], bool]:
    return lambda span: span.service == service and span.kind == "SERVER" and span.status == "ERROR"


def refused(answer: httpx.Response, *statuses: int) -> None:
    """The customer is told no, in a problem body."""
    assert answer.status_code in statuses, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_every_fault_has_a_test_of_what_it_shows():
    shown = {name.removeprefix("test_fault_") for name in globals() if name.startswith("test_fault_")}
    assert shown == {fault.name.replace(".", "_") for fault in FAULTS}


def test_fault_payments_fail(mended: RunningDemo):
    """The order is refused, payments has the error, and the saga takes back what it had reserved."""
    undone = total(mended, m.SAGA_COMPLETED, service_name="orders", outcome="compensated")
    mended.faults.set("payments.fail", 1)
    answer, trace_id = mended.place_order()
    refused(answer, 502)
    assert str(span_when(mended, trace_id, failed_in("payments")).attributes["error.type"]).endswith("ProviderDownError")
    span_when(mended, trace_id, lambda span: span.service == "inventory" and "release" in span.name)
    grows(mended, m.SAGA_COMPLETED, undone, service_name="orders", outcome="compensated")


def test_fault_payments_slow(mended: RunningDemo):
    """And the span that is slow says which flag made it so."""
    asked = total(mended, m.FEATURE_FLAG_EVALUATIONS, service_name="payments", feature_flag_key="payments.slow")
    mended.faults.set("payments.slow", 1)
    answer, trace_id = mended.place_order()
    assert answer.elapsed.total_seconds() >= SLOW_SECONDS
    slow = span_when(mended, trace_id, lambda span: served_by("payments")(span) and span.duration_s >= SLOW_SECONDS)
    assert "feature_flag.evaluation" in [event.name for event in slow.events]
    grows(mended, m.FEATURE_FLAG_EVALUATIONS, asked, service_name="payments", feature_flag_key="payments.slow")


def test_fault_payments_unreachable(mended: RunningDemo):
    """No order is placed, and after enough failures the breaker opens: payments is not called any more."""
    rejected = total(mended, m.CIRCUIT_BREAKER_REJECTED, service_name="orders")
    mended.faults.set("payments.unreachable", 1)

    def turned_back() -> bool:
        answer, _ = mended.place_order()
        assert answer.status_code in (202, 502, 503)
        return answer.status_code == 503 and "payments is not asked for" in answer.json()["detail"]

    wait_until(turned_back, 2 * PATIENCE, "no breaker turned a call back", every=0.2)
    grows(mended, m.CIRCUIT_BREAKER_REJECTED, rejected, service_name="orders")


def test_fault_inventory_slow(mended: RunningDemo):
    mended.faults.set("inventory.slow", 1)
    answer, trace_id = mended.place_order()
    assert answer.elapsed.total_seconds() >= SLOW_SECONDS
    assert span_when(mended, trace_id, served_by("inventory")).duration_s >= SLOW_SECONDS


def test_fault_inventory_fail(mended: RunningDemo):
    """Its caller is told nothing of the reason; the log and the span are."""
    mended.faults.set("inventory.fail", 1)
    answer, trace_id = mended.place_order()
    refused(answer, 502)
    assert answer.json()["detail"].startswith(
        "The order could not be placed: inventory answered 500: The service failed. Its log says why."
    )
    assert str(span_when(mended, trace_id, failed_in("inventory")).attributes["error.type"]).endswith("LedgerUnreadableError")
    assert any(line.severity == "ERROR" for line in lines_of(mended, trace_id, "orders", text="order failed"))


def test_fault_inventory_deadlock(mended: RunningDemo):
    mended.faults.set("inventory.deadlock", 1)
    answer, trace_id = mended.place_order()
    refused(answer, 502)
    assert str(span_when(mended, trace_id, failed_in("inventory")).attributes["error.type"]).endswith("OperationalError")


def test_fault_catalog_nplusone(mended: RunningDemo):
    """One query for each product, told by the span, the access line and a counter."""
    found = total(mended, m.DJANGO_REQUEST_DB_N_PLUS_ONE, service_name="catalog")
    mended.faults.set("catalog.nplusone", 1)
    _, trace_id = mended.request("gateway", "GET", "/api/products")
    assert int(str(span_when(mended, trace_id, served_by("catalog")).attributes["db.query.count"])) >= 7
    span_when(mended, trace_id, lambda span: (span.service, span.name) == ("catalog", "SELECT catalog_category"))
    grows(mended, m.DJANGO_REQUEST_DB_N_PLUS_ONE, found, service_name="catalog")


def test_fault_catalog_cache_off(mended: RunningDemo):
    """A page that was read a moment ago is read from the database again."""
    mended.faults.set("catalog.cache_off", 1)
    mended.request("catalog", "GET", "/api/products/tea-assam")
    _, trace_id = mended.request("catalog", "GET", "/api/products/tea-assam")
    assert span_when(mended, trace_id, lambda span: span.name == "SELECT catalog_product").service == "catalog"


def test_fault_orders_leak(mended: RunningDemo):
    """Each request keeps a megabyte, and the workers' memory says so."""
    begin = total(mended, m.PROCESS_MEMORY_USAGE, service_name="orders")
    mended.faults.set("orders.leak", 1)
    for _ in range(30):
        mended.request("orders", "GET", "/api/v2/orders")
    grows(mended, m.PROCESS_MEMORY_USAGE, begin, by=20_000_000, service_name="orders")


def test_fault_orders_cpu_hog(mended: RunningDemo):
    used = total(mended, m.PROCESS_CPU_TIME, service_name="orders")
    mended.faults.set("orders.cpu_hog", 1)
    _, trace_id = mended.request("orders", "GET", "/api/v2/orders")
    assert span_when(mended, trace_id, served_by("orders")).duration_s >= SLOW_SECONDS
    grows(mended, m.PROCESS_CPU_TIME, used, by=SLOW_SECONDS, service_name="orders")


def test_fault_broker_pause_consumer(mended: RunningDemo):
    """The event is with the broker, and nobody takes it until the pause is over."""
    mended.faults.set("broker.pause_consumer", 1)
    answer, trace_id = mended.place_order()
    assert answer.status_code == 201
    span_when(mended, trace_id, lambda span: span.kind == "PRODUCER")
    with mended.queries as queries:
        assert not [line for line in queries.logs(trace_id=trace_id, limit=-1) if line.body == "customer notified"]
    mended.faults.clear()
    lines_of(mended, trace_id, "notifications", text="customer notified")


def test_fault_broker_duplicate(mended: RunningDemo):
    seen = total(mended, m.INBOX_PROCESSED, service_name="notifications", outcome="duplicate")
    mended.faults.set("broker.duplicate", 1)
    for _ in range(2):
        assert mended.place_order()[0].status_code == 201
    grows(mended, m.INBOX_PROCESSED, seen, service_name="notifications", outcome="duplicate")


def test_fault_broker_poison(mended: RunningDemo):
    dead = total(mended, m.INBOX_PROCESSED, service_name="notifications", outcome="dead")
    mended.faults.set("broker.poison", 1)
    assert mended.place_order()[0].status_code == 201
    grows(mended, m.INBOX_PROCESSED, dead, service_name="notifications", outcome="dead")


def test_fault_auth_expired_keys(mended: RunningDemo):
    """A token that the gateway gives now has expired. Callers notice when those that they hold have run out: within minutes."""
    begin = total(mended, m.AUTH_TOKENS_VALIDATED, service_name="orders", reason="expired")
    mended.faults.set("auth.expired_keys", 1)
    shop = Shop(mended)
    token = shop.token("operator", "orders").json()["access_token"]
    answer = shop.ask("orders", "GET", "/api/v1/orders", token=token)
    refused(answer, 401)
    assert answer.json()["detail"] == "The token was refused: expired."
    refused(mended.place_order()[0], 502)
    told = span_when(mended, answer.headers["x-test-trace"], served_by("orders")).events
    assert {"reason": "expired"} in [event.attributes for event in told if event.name == "auth.token.rejected"]
    grows(mended, m.AUTH_TOKENS_VALIDATED, begin, service_name="orders", reason="expired")


def test_fault_auth_brute_force(mended: RunningDemo):
    """By the load, which alone tries passwords."""
    failed = total(mended, m.AUTH_ATTEMPTS, service_name="gateway", outcome="failed")
    mended.faults.set("auth.brute_force", 1)
    grows(mended, m.AUTH_ATTEMPTS, failed, by=10, service_name="gateway", outcome="failed")


def test_fault_readyz_fail(mended: RunningDemo):
    mended.faults.set("readyz.fail", 1)

    def says_no() -> bool:
        with mended.queries as queries:
            found = queries.series(series_name(m.HEALTH_CHECK_STATUS), service_name="catalog")
        return any(series.samples and series.samples[-1][1] == 0 for series in found)

    wait_until(says_no, PATIENCE, "no worker of catalog says that it is not ready")
    statuses = [mended.request("catalog", "GET", path)[0].status_code for path in ("/readyz", "/livez", "/api/products")]
    assert statuses == [503, 200, 200], "it serves all the same, and is not to be restarted"


def test_fault_db_pool_exhausted(mended: RunningDemo):
    mended.faults.set("db.pool_exhausted", 1)
    answer, trace_id = mended.place_order()
    refused(answer, 503)
    assert answer.json()["detail"] == "All connections to the database are in use."
    (line, *_) = lines_of(mended, trace_id, "orders", text="no connection to the database")
    assert str(line.attributes["exception.type"]).endswith("OperationalError")


def test_fault_log_storm(mended: RunningDemo):
    mended.faults.set("log.storm", 1)
    _, trace_id = mended.request("catalog", "GET", "/api/products")
    lines_of(mended, trace_id, "catalog", at_least=200)


def test_fault_deploy_bad_version(mended: RunningDemo):
    """A second version starts beside the first, and what it fails carries its version."""
    mended.faults.set("deploy.bad_version", 1)
    version = {"service_name": "catalog", "service_version": BAD_VERSION}
    mended.wait_for_line(f"catalog {BAD_VERSION} is deployed")

    def failed() -> bool:
        mended.request("catalog", "GET", "/api/products")
        return total(mended, m.HTTP_SERVER_REQUEST_DURATION, http_response_status_code="500", **version) >= 1

    wait_until(failed, 60, "the bad version was not seen to fail", every=0.3)
    wait_until(lambda: total(mended, m.BUILD_INFO, **version) == 2, PATIENCE, "each of its two workers says what it runs")
    mended.faults.clear()
    mended.wait_for_line(f"catalog {BAD_VERSION} is taken back")
    assert {mended.request("catalog", "GET", "/api/products")[0].status_code for _ in range(5)} == {200}


def test_fault_log_secret(mended: RunningDemo):
    """The line arrives, and the card number in it does not: neither in the stack nor on standard output."""
    mended.faults.set("log.secret", 1)
    _, trace_id = mended.place_order()
    (line, *_) = lines_of(mended, trace_id, "payments", text="asking the bank")
    card = "4111111111111111"
    assert card not in line.body
    assert card not in str(line.attributes)
    assert card not in (mended.folder / "logs" / "payments.log").read_text()


def test_a_cleared_fault_is_over_with_the_next_request(mended: RunningDemo):
    """Asked directly, where no breaker remembers: 503 from the fault, then 401, because we show no token."""
    mended.faults.set("db.pool_exhausted", 1)
    broken, _ = mended.request("orders", "GET", "/api/v1/orders")
    mended.faults.clear("db.pool_exhausted")
    whole, _ = mended.request("orders", "GET", "/api/v1/orders")
    assert (broken.status_code, whole.status_code) == (503, 401)
