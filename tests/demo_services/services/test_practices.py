"""What holds the shop together when keys change, time runs out or somebody asks too often."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import jwt
import pytest

from otelkit.catalog.metrics import API_REQUESTS, AUTH_JWKS_REFRESHES, LOAD_SHED
from otelkit.catalog.naming import series_names
from tests.backends import wait_until
from tests.demo_services.services.shop import MISSING, Shop, said

DEADLINE = "x-envoy-expected-rq-timeout-ms"


def test_a_new_key_takes_over_and_nobody_is_refused_meanwhile(shop: Shop):
    """JWKS rotation: published first, then signing; tokens of either key are good all the time."""
    path = f"/api/v2/orders/{MISSING}"
    before = shop.token("operator", "orders").json()["access_token"]
    assert shop.ask("orders", "GET", path, token=before).status_code == 404

    rotated = subprocess.run(
        [sys.executable, "-m", "django", "rotate_keys"], env=shop.environment("gateway"), capture_output=True, text=True, check=True
    )

    def has_taken_over() -> bool:
        token = shop.token("operator", "orders").json()["access_token"]
        for one in (token, before):
            assert shop.ask("orders", "GET", path, token=one).status_code == 404
        return jwt.get_unverified_header(token)["kid"] in rotated.stdout

    wait_until(has_taken_over, 40, "the new key does not sign")
    assert jwt.get_unverified_header(before)["kid"] not in rotated.stdout
    shop.wait_for_series(series_names(AUTH_JWKS_REFRESHES)[0], service_name="orders", outcome="ok")


def test_whose_caller_waits_no_more_is_not_worked_for(shop: Shop):
    """Deadline propagation: 504 where nothing is left, and nothing reaches inventory."""
    before = shop.stock("tray-bamboo")
    for left in ("0", "1"):
        late = shop.ask("gateway", "POST", "/api/v2/checkout", json={"sku": "tray-bamboo", "quantity": 1}, headers={DEADLINE: left})
        assert late.status_code == 504
    assert said(late, 504) == "Nobody waits for the answer any more."
    assert shop.stock("tray-bamboo") == before


def test_who_guesses_too_often_is_turned_away(shop: Shop):
    """Rate limit: 429 with Retry-After."""

    def turned_away() -> object:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: shop.ask("gateway", "POST", "/api/login", json={}), range(60)))
        return next((answer for answer in answers if answer.status_code == 429), None)

    answer = wait_until(turned_away, 40, "nobody was turned away")
    assert said(answer, 429).startswith("Request was throttled.")  # type: ignore[arg-type]
    assert int(answer.headers["retry-after"]) >= 1  # type: ignore[attr-defined]


@pytest.mark.parametrize("service", ["catalog", "inventory"])
def test_who_has_waited_too_long_in_front_of_a_service_is_told_at_once_to_come_again(shop: Shop, service: str):
    """Load shedding, under gunicorn and uvicorn: 503 with Retry-After, counted by reason; probes are spared."""
    waited = {"x-request-start": f"t={time.time() - 10:.3f}"}
    answer = shop.ask(service, "GET", "/api/products" if service == "catalog" else "/stock/tray-bamboo", headers=waited)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert shop.ask(service, "GET", "/readyz", headers=waited).status_code == 200
    shop.wait_for_series(series_names(LOAD_SHED)[0], service_name=service, reason="queue_time")


def test_old_apps_are_counted_by_name(shop: Shop):
    """Versioning: who still calls v1 is a series, so that somebody can be asked to stop."""
    answer = shop.check_out("tray-bamboo", 1, version="v1")
    assert (answer.status_code, answer.json()["status"]) == (201, "placed")
    assert {"deprecation", "sunset", "link"} <= set(answer.headers)
    shop.wait_for_series(series_names(API_REQUESTS)[0], service_name="gateway", api_version="v1")
