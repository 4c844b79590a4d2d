"""A checkout, from the browser to the notification: one trace over six services, one effect, and the way back."""

from __future__ import annotations

import subprocess
import sys
import uuid

import pytest

from otelkit_demo.faults import fault_named
from otelkit_demo.manifest import EDGES, SERVICES, Edge
from otelkit_stack.records import Trace
from tests.backends import wait_until
from tests.demo_services.services.shop import Shop, said


@pytest.fixture(scope="module")
def joined(shop: Shop) -> Trace:
    """The trace of one checkout, to its end."""
    answer = shop.check_out("cup-stoneware", 1)
    assert answer.status_code == 201, answer.text
    names = {(edge.callee, edge.server_span) for edge in EDGES} | {(edge.caller, edge.client_span) for edge in EDGES}
    shop.trace(answer, names=names)
    return shop.demo.trace(answer.headers["x-test-trace"], services={service.name for service in SERVICES})


def test_a_checkout_is_one_tree_over_six_services(joined: Trace):
    """G1: gateway -> orders -> catalog, inventory, payments -> outbox -> broker -> notifications, without a second root."""
    (root,) = joined.tree()
    assert (root.span.service, root.span.name) == ("gateway", "POST /api/{version}/checkout")
    assert {span.service for span in joined.spans} == {"gateway", "orders", "catalog", "inventory", "payments", "notifications"}


@pytest.mark.parametrize("edge", EDGES, ids=lambda edge: f"{edge.caller}-{edge.callee}-{edge.server_span}")
def test_every_edge_joins_its_ends(joined: Trace, edge: Edge):
    """The one span is the other's parent, and a call names whom it calls."""
    parents = {s.span_id: s for s in joined.spans if (s.service, s.kind, s.name) == (edge.caller, edge.client_kind, edge.client_span)}
    ends = [s for s in joined.spans if (s.service, s.kind, s.name) == (edge.callee, edge.server_kind, edge.server_span)]
    assert ends
    assert {span.parent_span_id for span in ends} <= set(parents)
    if edge.client_kind == "CLIENT":
        assert {parents[span.parent_span_id].attributes["service.peer.name"] for span in ends} == {edge.callee}


def queried(trace: Trace) -> set[tuple[str, str]]:
    """Service and database of every query."""
    return {
        (span.service, str(span.attributes["db.namespace"]).rsplit("/", 1)[-1].removesuffix(".sqlite3"))
        for span in trace.spans
        if "db.namespace" in span.attributes
    }


def foreign(trace: Trace) -> set[tuple[str, str]]:
    """Queries to a database that is not the service's own."""
    return {(service, database) for service, database in queried(trace) if service != database}


def test_each_service_queries_its_own_database_only(joined: Trace):
    """Database per service."""
    assert {service for service, _ in queried(joined)} >= {"orders", "inventory", "payments", "notifications"}
    assert not foreign(joined)


def test_an_order_takes_goods_and_money_once_however_often_it_is_sent(shop: Shop):
    """Idempotency-Key, through two services."""
    key = str(uuid.uuid4())
    available, reserved = shop.stock("tray-bamboo")  # which nobody else buys here

    first = shop.check_out("tray-bamboo", 2, key=key)
    again = shop.check_out("tray-bamboo", 2, key=key)

    assert (first.status_code, again.status_code) == (201, 201), (first.text, again.text)
    assert first.json()["reference"] == again.json()["reference"]
    assert again.headers["idempotency-replayed"] == "true"
    assert shop.stock("tray-bamboo") == (available - 2, reserved)
    payment = shop.operate("payments", "GET", f"/payments/{first.json()['reference']}").json()
    assert (payment["state"], payment["amount"]) == ("captured", 6400)


def test_a_key_that_comes_with_another_order_is_refused(shop: Shop):
    key = str(uuid.uuid4())
    assert shop.check_out("tray-bamboo", 1, key=key).status_code == 201
    assert shop.check_out("tray-bamboo", 2, key=key).status_code == 422


def test_a_refund_gives_back_money_and_goods(shop: Shop):
    available, _ = shop.stock("tray-bamboo")
    reference = shop.check_out("tray-bamboo", 1).json()["reference"]

    refunded = shop.ask("gateway", "POST", f"/api/orders/{reference}/refund")

    assert (refunded.status_code, refunded.json()["status"]) == (200, "refunded")
    assert shop.ask("gateway", "GET", f"/api/orders/{reference}").json()["status"] == "refunded"
    assert shop.operate("payments", "GET", f"/payments/{reference}").json()["state"] == "refunded"
    assert shop.stock("tray-bamboo")[0] == available


def test_a_customer_is_told_once_and_a_worker_sends_it(shop: Shop):
    """Outbox, broker, inbox, Celery."""
    reference = shop.check_out("tray-bamboo", 1).json()["reference"]

    def told() -> list[dict[str, object]]:
        found = shop.ask("notifications", "GET", "/api/notifications", params={"order": reference}).json()["notifications"]
        return found if found and found[0]["sent_at"] else []

    (notification,) = wait_until(told, 20, "no notification was sent")
    assert (notification["event"], notification["text"]) == ("order.placed", "Your order of 1 x tray-bamboo is placed: 32.00 EUR.")


def test_what_the_bank_declines_gives_the_goods_back(shop: Shop):
    """Saga: a refusal at the third step undoes the second."""
    before = shop.stock("kettle-copper")[1]
    answer = shop.check_out("kettle-copper", 60)

    assert said(answer, 402).startswith("The bank declined 5340.00")
    undone = {
        ("orders", "place_order undo reserve"),
        ("orders", "place_order undo accept"),
        ("inventory", "POST /reservations/{pk}/release"),
    }
    released = {(span.service, span.name) for span in shop.trace(answer, names=undone).spans}
    assert ("payments", "POST /payments/{pk}/capture") not in released
    wait_until(lambda: shop.stock("kettle-copper")[1] <= before, 10, "the goods stay reserved")


def test_while_payments_fails_orders_are_refused_and_nothing_is_kept(shop: Shop):
    """payments.fail: a refusal for the customer, and the saga goes back."""
    _, reserved = shop.stock("tray-bamboo")
    shop.demo.faults.set(fault_named("payments.fail").name, 1.0)
    try:
        answers = [shop.check_out("tray-bamboo", 1) for _ in range(2)]
    finally:
        shop.demo.faults.clear("payments.fail")
        shop.recovered()

    for answer in answers:
        assert answer.status_code in (502, 503)  # payments may be left alone by now, because orders of others failed, too
        assert said(answer, answer.status_code).startswith("The order could not be placed: payments ")
    wait_until(lambda: shop.stock("tray-bamboo")[1] == reserved, 10, "the goods stay reserved")


def test_a_foreign_database_would_be_seen(shop: Shop):
    """Database per service: the check above can fail. A process of orders that reads from payments' database is found."""
    environment = shop.environment("orders") | {"DATABASE_URL": f"sqlite:///{shop.demo.folder / 'payments.sqlite3'}"}
    reads = "from django.db import connection; connection.cursor().execute('SELECT count(*) FROM payments_payment')"
    trace_id = uuid.uuid4().hex
    script = (
        "import django; django.setup()\n"
        "from opentelemetry import trace; from opentelemetry.propagate import extract\n"
        f"context = extract({{'traceparent': '00-{trace_id}-00f067aa0ba902b7-01'}})\n"
        f"with trace.get_tracer('test').start_as_current_span('peek', context=context):\n    {reads}"
    )
    subprocess.run([sys.executable, "-c", script], env=environment, check=True, capture_output=True)

    def found() -> Trace | None:
        with shop.demo.queries as queries:
            return queries.trace(trace_id)

    assert foreign(wait_until(found, 20, "the peek was not seen")) == {("orders", "payments")}


def test_who_tries_again_after_payments_hung_has_one_order_and_pays_once(shop: Shop):
    """Idempotency-Key and saga: an answer that nobody waited for is lost, the order is not; whatever else was held comes back."""
    available, reserved = shop.stock("tray-bamboo")
    key = str(uuid.uuid4())
    with shop.hanging("payments"):
        assert shop.check_out("tray-bamboo", 1, key=key).status_code in (202, 502, 503, 504)

    def placed() -> object:
        answer = shop.check_out("tray-bamboo", 1, key=key)
        return answer if answer.status_code == 201 else None

    answer = wait_until(placed, 60, "no second try is answered")
    wait_until(lambda: shop.stock("tray-bamboo") == (available - 1, reserved), 60, "more than one is sold, or held")
    assert shop.check_out("tray-bamboo", 1, key=key).json() == answer.json()  # type: ignore[attr-defined]
    shop.recovered()
