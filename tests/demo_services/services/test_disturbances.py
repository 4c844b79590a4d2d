"""Each fault, seen where it has its effect: in an answer, a span, a series or a log line. Which alerts fire is tested with the alerts."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from otelkit.catalog.metrics import CIRCUIT_BREAKER_REJECTED, FEATURE_FLAG_EVALUATIONS, INBOX_PROCESSED
from otelkit.catalog.naming import series_names
from otelkit_demo.catalog.disturbance import STORM_LINES
from otelkit_demo.faults import SLOW_SECONDS
from otelkit_demo.orders.disturbance import LEAK_BYTES
from otelkit_demo.payments.provider import TEST_CARD
from otelkit_stack.records import Span, Trace
from tests.backends import wait_until
from tests.demo_services.services.shop import MISSING, Shop, said


@contextmanager
def broken(shop: Shop, fault: str) -> Iterator[None]:
    """The fault is set, and afterwards the shop is well again."""
    shop.demo.faults.set(fault, 1.0)
    try:
        yield
    finally:
        shop.demo.faults.clear(fault)
        shop.recovered()


def seconds(span: Span) -> float:
    return (span.end_ns - span.start_ns) / 1e9


def spans(trace: Trace, service: str, name: str) -> list[Span]:
    return [span for span in trace.spans if (span.service, span.name) == (service, name)]


@pytest.mark.parametrize(
    ("fault", "service", "span"), [("inventory.slow", "inventory", "POST /reservations"), ("payments.slow", "payments", "POST /payments")]
)
def test_slowness_shows_in_the_span_of_whoever_is_slow(shop: Shop, fault: str, service: str, span: str):
    with broken(shop, fault):
        answer = shop.check_out("tray-bamboo", 1)
    trace = shop.trace(answer, names={("gateway", "POST /api/{version}/checkout"), (service, span)})
    assert max(seconds(one) for one in spans(trace, service, span)) >= SLOW_SECONDS
    events = [event.name for one in spans(trace, service, span) for event in one.events]
    assert "feature_flag.evaluation" in events
    shop.wait_for_series(series_names(FEATURE_FLAG_EVALUATIONS)[0], service_name=service, feature_flag_key=fault)


@pytest.mark.parametrize(("fault", "kind"), [("inventory.fail", "LedgerUnreadableError"), ("inventory.deadlock", "OperationalError")])
def test_a_failing_inventory_refuses_the_order_and_names_what_failed(shop: Shop, fault: str, kind: str):
    with broken(shop, fault):
        ordered = shop.check_out("tray-bamboo", 1)
        wish = {"reference": str(uuid.uuid4()), "sku": "tray-bamboo", "quantity": 1}
        direct = shop.operate("inventory", "POST", "/reservations", json=wish)
    # 503 where so many orders of others failed before that inventory is left alone.
    assert ordered.status_code in (502, 503)
    assert ordered.json()["detail"].startswith("The order could not be placed: inventory ")
    assert said(direct, 500) == "The service failed. Its log says why."
    (failed,) = spans(shop.trace(direct, names={("inventory", "POST /reservations")}), "inventory", "POST /reservations")
    assert str(failed.attributes["error.type"]).endswith(kind)


def test_an_unreachable_neighbour_is_left_alone_after_a_while(shop: Shop):
    """payments.unreachable: 502 until the breaker opens, and 503 at once from then on."""
    with broken(shop, "payments.unreachable"):
        detail = wait_until(
            lambda: a.json()["detail"] if (a := shop.check_out("tray-bamboo", 1)).status_code == 503 else "", 30, "the breaker stays closed"
        )
    assert "payments is not asked for" in detail
    shop.wait_for_series(series_names(CIRCUIT_BREAKER_REJECTED)[0], service_name="orders")


def test_a_lost_join_asks_once_for_each_product(shop: Shop):
    with broken(shop, "catalog.nplusone"):
        answer = shop.ask("catalog", "GET", "/api/products")
    trace = shop.trace(answer, names={("catalog", "GET /api/products")})
    assert len(spans(trace, "catalog", "SELECT catalog_category")) == answer.json()["count"]


def test_without_its_cache_the_catalogue_reads_every_time(shop: Shop):
    with broken(shop, "catalog.cache_off"):
        answers = [shop.ask("catalog", "GET", "/api/products/tea-assam") for _ in range(3)]
    for answer in answers:
        shop.trace(answer, names={("catalog", "GET /api/products/{sku}"), ("catalog", "SELECT catalog_product")})


def test_a_leak_keeps_a_megabyte_of_each_request(shop: Shop):
    def resident() -> int:
        return sum(int(Path(f"/proc/{one.pid}/statm").read_text().split()[1]) * 4096 for one in shop.demo.family())

    before = resident()
    with broken(shop, "orders.leak"):
        for _ in range(60):
            shop.operate("orders", "GET", f"/api/v2/orders/{MISSING}")
    assert resident() - before > 40 * LEAK_BYTES


def test_a_hog_computes(shop: Shop):
    with broken(shop, "orders.cpu_hog"):
        answer = shop.operate("orders", "GET", f"/api/v2/orders/{MISSING}")
    (span,) = spans(shop.trace(answer, names={("orders", "GET /api/v2/orders/{reference}")}), "orders", "GET /api/v2/orders/{reference}")
    assert seconds(span) >= SLOW_SECONDS


def test_a_paused_consumer_tells_nobody_until_it_goes_on(shop: Shop):
    def told(reference: str) -> bool:
        return bool(shop.ask("notifications", "GET", "/api/notifications", params={"order": reference}).json()["notifications"])

    with broken(shop, "broker.pause_consumer"):
        first = shop.check_out("tray-bamboo", 1)  # this one, or one of the load's before it, is where the consumer hangs
        trace = shop.trace(first, names={("orders", "send orders")})
        assert not spans(trace, "notifications", "process orders")
        assert not told(first.json()["reference"])
    wait_until(lambda: told(first.json()["reference"]), 30, "nobody was told afterwards")


@pytest.mark.parametrize(("fault", "outcome"), [("broker.duplicate", "duplicate"), ("broker.poison", "dead")])
def test_the_inbox_counts_what_it_is_there_for(shop: Shop, fault: str, outcome: str):
    with broken(shop, fault):
        assert {shop.check_out("tray-bamboo", 1).status_code for _ in range(3)} == {201}
    shop.wait_for_series(series_names(INBOX_PROCESSED)[0], service_name="notifications", outcome=outcome)


def test_tokens_that_have_expired_are_refused_with_the_reason(shop: Shop):
    with broken(shop, "auth.expired_keys"):
        token = shop.token("operator", "orders").json()["access_token"]
        direct = shop.ask("orders", "GET", "/api/v1/orders", token=token)
        bought = shop.check_out("tray-bamboo", 1)
    assert said(direct, 401) == "The token was refused: expired."
    assert bought.status_code == 502
    trace = shop.trace(direct, names={("orders", "GET /api/v1/orders")})
    events = {event.name: event.attributes for span in trace.spans for event in span.events}
    assert events["auth.token.rejected"] == {"reason": "expired"}


def test_a_catalogue_that_is_not_ready_says_so_to_probes_alone(shop: Shop):
    with broken(shop, "readyz.fail"):
        wait_until(lambda: shop.ask("catalog", "GET", "/readyz").status_code == 503, 20, "it is ready all the same")
        assert shop.ask("catalog", "GET", "/livez").status_code == 200
        assert shop.ask("catalog", "GET", "/api/products").status_code == 200
    wait_until(lambda: shop.ask("catalog", "GET", "/readyz").status_code == 200, 20, "it is not ready any more")


def test_without_connections_orders_says_503(shop: Shop):
    with broken(shop, "db.pool_exhausted"):
        answer = shop.check_out("tray-bamboo", 1)
    assert said(answer, 503) == "All connections to the database are in use."


def test_a_storm_writes_hundreds_of_lines(shop: Shop):
    with broken(shop, "log.storm"):
        answer = shop.ask("catalog", "GET", "/api/products/tea-assam")
    found = wait_until(
        lambda: t if len((t := shop.trace(answer, names={("catalog", "GET /api/products/{sku}")})).logs) > STORM_LINES else None,
        20,
        "no storm",
    )
    assert sum(line.body == "cache entry looked at" for line in found.logs) == STORM_LINES


def test_a_card_number_in_a_log_line_leaves_nowhere(shop: Shop):
    """Redaction: neither over OTLP nor on stdout."""
    with broken(shop, "log.secret"):
        answer = shop.check_out("tray-bamboo", 1)
    trace = shop.trace(answer, names={("payments", "POST /payments")})
    lines = [line for line in trace.logs if line.body.startswith("asking the bank")]
    assert lines
    assert all(TEST_CARD not in f"{line.body} {line.attributes}" for line in lines)
    assert TEST_CARD not in (shop.demo.folder / "logs" / "payments.log").read_text()
