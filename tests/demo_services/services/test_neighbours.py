"""The services behind the gateway, asked directly: who may, what they answer, and how they say no."""

from __future__ import annotations

import uuid
from email.utils import parsedate_to_datetime

import httpx
import pytest

from otelkit_demo.journeys import SKUS
from otelkit_demo.manifest import SERVICES
from tests.backends import wait_until
from tests.demo_services.services.shop import MISSING, Shop, said


def test_version_1_of_orders_says_when_it_ends(shop: Shop):
    """RFC 9745, RFC 8594: Deprecation, Sunset, Link."""
    old = shop.operate("orders", "GET", "/api/v1/orders?sku=tea-assam")
    assert old.headers["deprecation"].startswith("@")
    assert parsedate_to_datetime(old.headers["sunset"]).year == 2027
    assert 'rel="deprecation"' in old.headers["link"]
    new = shop.operate("orders", "GET", f"/api/v2/orders/{MISSING}")
    assert "deprecation" not in new.headers


def test_version_1_places_reads_and_lists_as_it_always_did(shop: Shop):
    placed = shop.operate("orders", "POST", "/api/v1/orders", json={"sku": "tea-assam", "quantity": 2})
    assert placed.status_code == 201, placed.text
    order = placed.json()
    assert (order["sku"], order["quantity"], order["status"]) == ("tea-assam", 2, "placed")
    assert shop.operate("orders", "GET", placed.headers["location"]).json() == order
    assert order in shop.operate("orders", "GET", "/api/v1/orders?sku=tea-assam&status=placed").json()["orders"]
    reservation = shop.ask("inventory", "GET", f"/reservations/{order['reservation']}").json()
    assert (reservation["sku"], reservation["quantity"], reservation["state"]) == ("tea-assam", 2, "committed")


def test_more_than_there_is_answers_409_and_changes_nothing(shop: Shop):
    available, _ = shop.stock("teapot-signed")
    answer = shop.operate("orders", "POST", "/api/v1/orders", json={"sku": "teapot-signed", "quantity": 26})
    assert said(answer, 409) == f"26 of teapot-signed are wanted; {available} are available."
    order = shop.operate("orders", "GET", f"/api/v1/orders/{answer.json()['order_id']}")
    assert order.json()["status"] == "rejected"


def test_goods_are_held_sold_and_released_once_however_often_that_is_asked_for(shop: Shop):
    wish = {"reference": str(uuid.uuid4()), "sku": "tray-bamboo", "quantity": 1}
    available, reserved = shop.stock("tray-bamboo")

    first = shop.operate("inventory", "POST", "/reservations", json=wish)
    again = shop.operate("inventory", "POST", "/reservations", json=wish)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert shop.stock("tray-bamboo") == (available - 1, reserved + 1)

    place = first.headers["location"]
    assert [shop.operate("inventory", "POST", f"{place}/commit").json()["state"] for _ in range(2)] == ["committed", "committed"]
    assert shop.stock("tray-bamboo") == (available - 1, reserved)
    by_reference = f"/reservations/{wish['reference']}/release"
    assert [shop.operate("inventory", "POST", by_reference).json()["state"] for _ in range(2)] == ["released", "released"]
    assert shop.stock("tray-bamboo") == (available, reserved)
    assert said(shop.operate("inventory", "POST", f"{place}/commit"), 409).endswith("is released.")


def test_money_is_held_taken_and_given_back_in_that_order(shop: Shop):
    reference = str(uuid.uuid4())
    charge = {"reference": reference, "amount": 1250, "currency": "EUR"}
    held = shop.operate("payments", "POST", "/payments", json=charge)
    assert (held.status_code, held.json()["state"]) == (201, "authorised")
    place = f"/payments/{held.json()['id']}"
    assert said(shop.operate("payments", "POST", f"{place}/refund"), 409) == "A payment that is authorised cannot be refunded."
    assert shop.operate("payments", "POST", f"{place}/capture").json()["state"] == "captured"
    assert said(shop.operate("payments", "POST", f"{place}/void"), 409) == "A payment that is captured cannot be voided."
    assert [shop.operate("payments", "POST", f"/payments/{reference}/refund").json()["state"] for _ in range(2)] == ["refunded"] * 2


@pytest.mark.parametrize(
    ("service", "method", "path"),
    [
        ("orders", "POST", "/api/v2/orders"),
        ("orders", "GET", "/api/v1/orders"),
        ("inventory", "POST", "/reservations"),
        ("payments", "POST", "/payments"),
        ("payments", "GET", f"/payments/{MISSING}"),
    ],
)
def test_nobody_gets_in_without_a_token_for_this_service(shop: Shop, service: str, method: str, path: str):
    """aud: a token for one service opens no other."""
    assert said(shop.ask(service, method, path), 401) == "Authentication credentials were not provided."
    assert said(shop.ask(service, method, path, token="e30.e30.e30"), 401).startswith("The token was refused: ")
    other = "payments" if service != "payments" else "inventory"
    foreign = shop.token("operator", other).json()["access_token"]
    refused = shop.ask(service, method, path, token=foreign)
    assert said(refused, 401) == "The token was refused: audience."
    assert refused.headers["www-authenticate"] == "Bearer"


def test_a_scope_that_the_token_lacks_is_forbidden(shop: Shop):
    reader = shop.token("operator", "orders", scope="orders:read").json()["access_token"]
    refused = shop.ask("orders", "POST", "/api/v2/orders", token=reader, json={"sku": "tea-assam", "quantity": 1})
    assert said(refused, 403) == "This needs the scope orders:write."


@pytest.mark.parametrize(
    ("service", "method", "path", "body", "status", "detail"),
    [
        ("orders", "POST", "/api/v1/orders", b"[1", 400, "JSON parse error"),
        ("orders", "POST", "/api/v2/orders", b"{}", 422, "sku: This field is required.; quantity: This field is required."),
        ("orders", "POST", "/api/v1/orders", b'{"sku": "a", "quantity": true}', 422, "quantity: A valid integer is required."),
        ("orders", "POST", "/api/v1/orders", b'{"sku": "a", "quantity": 101}', 422, "quantity: Ensure this value is less than"),
        ("orders", "POST", "/api/v2/orders", b'{"sku": "unicorn", "quantity": 1}', 422, "There is no SKU unicorn."),
        ("orders", "GET", "/api/v1/orders?status=lost", None, 422, 'status: "lost" is not a valid choice.'),
        ("orders", "GET", "/api/v1/orders/99999999", None, 404, "There is no order 99999999."),
        ("orders", "GET", f"/api/v2/orders/{MISSING}", None, 404, f"There is no order {MISSING}."),
        ("orders", "DELETE", "/api/v2/orders", None, 405, 'Method "DELETE" not allowed.'),
        ("orders", "GET", "/orders/nine", None, 404, "Nothing lives at /orders/nine."),
        ("inventory", "POST", "/reservations", b'{"reference": "x"}', 422, "reference: Must be a valid UUID."),
        ("inventory", "POST", f"/reservations/{MISSING}/commit", b"", 404, f"There is no reservation {MISSING}."),
        ("inventory", "GET", "/stock/unicorn", None, 404, "There is no SKU unicorn."),
        ("inventory", "GET", f"/reservations/{MISSING}", None, 404, f"There is no reservation {MISSING}."),
        ("inventory", "PUT", "/stock/tea-assam", None, 405, 'Method "PUT" not allowed.'),
        ("payments", "POST", "/payments", b'{"amount": -1}', 422, "reference: This field is required.; amount: Ensure this value"),
        ("payments", "POST", f"/payments/{MISSING}/capture", b"", 404, f"There is no payment {MISSING}."),
        ("catalog", "GET", "/api/products?page=0", None, 422, "page: Ensure this value is greater than or equal to 1."),
        ("catalog", "GET", "/api/products/unicorn", None, 404, "There is no SKU unicorn."),
        ("catalog", "POST", "/api/products", b"{}", 405, 'Method "POST" not allowed.'),
        ("notifications", "GET", "/api/notifications?order=x", None, 422, "order: Must be a valid UUID."),
        ("notifications", "POST", "/stream", b"", 405, "POST is not allowed here."),
    ],
)
def test_bad_input_gets_a_problem_body(shop: Shop, service: str, method: str, path: str, body: bytes | None, status: int, detail: str):
    """RFC 9457: its media type, its members, and a detail that names the field."""
    ask = shop.operate if service in ("orders", "inventory", "payments") else shop.ask
    answer = ask(service, method, path, content=body, headers={"content-type": "application/json"})
    assert said(answer, status).startswith(detail)


@pytest.mark.parametrize("service", [service.name for service in SERVICES])
def test_probes_answer(shop: Shop, service: str):
    for probe in ("/livez", "/readyz", "/startupz"):
        assert shop.ask(service, "GET", probe).json()["status"] == "ok"


def test_the_catalogue_away_leaves_prices_and_pages_as_they_were(shop: Shop):
    """Graceful degradation: a catalogue that hangs costs no order."""
    page = shop.ask("gateway", "GET", "/api/products", params={"search": "tray"})
    assert (page.status_code, "warning" in page.headers) == (200, False)
    for sku in ("tray-bamboo", *SKUS):  # what the load buys, too: its orders must not fail meanwhile
        shop.check_out(sku, 1)

    with shop.hanging("catalog"):
        stale = shop.ask("gateway", "GET", "/api/products", params={"search": "tray"})
        bought = shop.check_out("tray-bamboo", 1)

    assert (stale.status_code, stale.headers["warning"], stale.json()) == (200, '110 - "Response is Stale"', page.json())
    assert (bought.status_code, bought.json().get("price_remembered")) == (201, True), bought.text
    shop.recovered()  # it is asked again, once the breakers try


def test_the_stream_tells_the_page_of_an_order(shop: Shop):
    """Server-sent events, from async Django."""
    origin = shop.demo.url("gateway")
    with (
        httpx.Client(base_url=shop.demo.url("notifications"), trust_env=False, timeout=30) as client,
        client.stream("GET", "/stream", headers={"origin": origin}) as stream,
    ):
        assert stream.headers["content-type"] == "text/event-stream"
        assert stream.headers["access-control-allow-origin"] == origin
        lines = stream.iter_lines()
        assert next(lines) == ": here"
        reference = shop.check_out("tray-bamboo", 1).json()["reference"]
        for line in lines:
            if line.startswith("data: ") and reference in line:
                break
    assert '"order.placed"' in line
    wait_until(lambda: shop.ask("notifications", "GET", "/livez").status_code == 200, 5, "it does not answer after a stream")
