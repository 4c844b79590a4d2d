"""The front door: the page, sessions, tokens and keys, and what browsers are told when something is wrong."""

from __future__ import annotations

import jwt
import pytest

from otelkit.catalog.metrics import AUTH_ATTEMPTS
from otelkit.catalog.naming import family_name
from tests.backends import wait_until
from tests.demo_services.services.shop import MISSING, Shop, said


def test_the_page_shows_the_shop_and_follows_the_stream(shop: Shop):
    page = shop.ask("gateway", "GET", "/")
    assert page.status_code == 200
    assert "The tea shop" in page.text
    assert f'data-stream="{shop.demo.url("notifications")}/stream"' in page.text


def test_the_page_learns_how_each_service_stands(shop: Shop):
    answer = shop.ask("gateway", "GET", "/api/status").json()
    assert {one["name"] for one in answer["services"]} == {"catalog", "orders", "inventory", "payments", "notifications"}
    assert all(one["ready"] for one in answer["services"])


def test_products_are_found_by_words_and_shown_with_what_there_is(shop: Shop):
    found = shop.ask("gateway", "GET", "/api/products", params={"search": "copper"}).json()
    assert [one["sku"] for one in found["results"]] == ["kettle-copper"]
    one = shop.ask("gateway", "GET", "/api/products/kettle-copper").json()
    assert (one["price"], one["currency"]) == ("89.00", "EUR")
    assert one["available"] > 0


def test_a_customer_logs_in_buys_and_logs_out(shop: Shop):
    entered = shop.ask("gateway", "POST", "/api/login", json={"username": "ada", "password": "tea-time"})
    assert (entered.status_code, entered.json()) == (200, {"username": "ada"})
    cookies = dict(entered.cookies.items())
    shown = {"cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    basket = {"sku": "tea-sencha", "quantity": 1}

    forged = shop.ask("gateway", "POST", "/api/v2/checkout", json=basket, headers=shown)
    bought = shop.ask("gateway", "POST", "/api/v2/checkout", json=basket, headers={**shown, "x-csrftoken": cookies["csrftoken"]})

    assert said(forged, 403).startswith("CSRF Failed")
    assert bought.status_code == 201, bought.text
    left = shop.ask("gateway", "POST", "/api/logout", headers={**shown, "x-csrftoken": cookies["csrftoken"]})
    assert left.status_code == 204


def test_a_wrong_password_is_refused_and_counted(shop: Shop):
    """Security events: the attempt is a metric, and neither name nor password is anywhere."""
    refused = shop.ask("gateway", "POST", "/api/login", json={"username": "ada", "password": "coffee-time-4711"})

    assert said(refused, 401) == "The name or the password is wrong."
    assert refused.headers["www-authenticate"].startswith("Session")

    def counted() -> object:
        with shop.demo.queries as queries:
            return queries.series(f"{family_name(AUTH_ATTEMPTS)}_total", service_name="gateway", outcome="failed")

    wait_until(counted, 20, "the attempt was not counted")
    logs = "".join(path.read_text() for path in (shop.demo.folder / "logs").glob("*.log"))
    assert "coffee-time-4711" not in logs


def test_a_token_is_signed_by_a_published_key_and_lives_five_minutes(shop: Shop):
    """EdDSA, aud, scope, JWKS."""
    issued = shop.token("orders", "inventory")
    assert issued.status_code == 200
    assert issued.headers["cache-control"] == "no-store"
    token = issued.json()["access_token"]
    keys = jwt.PyJWKSet.from_dict(shop.ask("gateway", "GET", "/.well-known/jwks.json").json())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, key.key, algorithms=["EdDSA"], audience="inventory")
    assert (claims["sub"], claims["scope"], claims["exp"] - claims["iat"]) == ("orders", "inventory:write", 300)
    assert "d" not in shop.ask("gateway", "GET", "/.well-known/jwks.json").json()["keys"][0]


@pytest.mark.parametrize(
    ("client", "audience", "scope", "secret", "status", "error"),
    [
        ("orders", "inventory", "", "guessed", 401, "invalid_client"),
        ("somebody", "inventory", "", None, 401, "invalid_client"),
        ("orders", "notifications", "", None, 400, "invalid_target"),
        ("orders", "inventory", "inventory:burn", None, 400, "invalid_scope"),
    ],
)
def test_who_asks_for_too_much_gets_no_token(
    shop: Shop, client: str, audience: str, scope: str, secret: str | None, status: int, error: str
):
    refused = shop.token(client, audience, scope=scope, secret=secret)
    assert (refused.status_code, refused.json()["error"]) == (status, error)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "detail"),
    [
        ("POST", "/api/v2/checkout", b"[1", 400, "JSON parse error"),
        ("POST", "/api/v2/checkout", b"\xff", 400, "JSON parse error"),
        ("POST", "/api/v2/checkout", b"[" * 100_000, 400, "JSON parse error"),
        ("POST", "/api/v2/checkout", b"[1]", 422, "Invalid data. Expected a dictionary, but got list."),
        ("POST", "/api/v2/checkout", b"{}", 422, "sku: This field is required.; quantity: This field is required."),
        (
            "POST",
            "/api/v2/checkout",
            b'{"sku": "tea-assam", "quantity": 0}',
            422,
            "quantity: Ensure this value is greater than or equal to 1.",
        ),
        ("POST", "/api/v2/checkout", b'{"sku": "unicorn", "quantity": 1}', 422, "There is no SKU unicorn."),
        ("POST", "/api/v1/checkout", b'{"sku": "tea assam", "quantity": 1}', 422, "sku: Enter a valid"),
        ("POST", "/api/login", b'{"username": "ada"}', 422, "password: This field is required."),
        ("GET", f"/api/orders/{MISSING}", None, 404, f"There is no order {MISSING}."),
        ("POST", f"/api/orders/{MISSING}/refund", None, 404, f"There is no order {MISSING}."),
        ("GET", "/api/orders/nine", None, 404, "Nothing lives at /api/orders/nine."),
        ("GET", "/api/products/unicorn", None, 404, "There is no SKU unicorn."),
        ("GET", "/api/products?page=nine", None, 422, "page: A valid integer is required."),
        ("DELETE", "/api/v2/checkout", None, 405, 'Method "DELETE" not allowed.'),
        ("GET", "/nowhere", None, 404, "Nothing lives at /nowhere."),
    ],
)
def test_bad_input_gets_a_problem_body(shop: Shop, method: str, path: str, body: bytes | None, status: int, detail: str):
    """RFC 9457: its media type, its members, and a detail that names the field."""
    answer = shop.ask("gateway", method, path, content=body, headers={"content-type": "application/json"})
    assert said(answer, status).startswith(detail)
