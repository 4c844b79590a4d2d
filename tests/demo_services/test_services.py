"""The shop from outside: what its services answer, and how they say no."""

from __future__ import annotations

import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from otelkit_demo.environment import Run, migration_environment
from otelkit_demo.manifest import SERVICES, Service
from tests.demo_services.running_demo import RunningDemo

MISSING = uuid.UUID(int=0)


def test_an_order_can_be_placed_read_and_listed(demo: RunningDemo):
    placed, _ = demo.request("orders", "POST", "/orders", json={"sku": "tea-assam", "quantity": 2})
    assert placed.status_code == 201
    order = placed.json()
    assert (order["sku"], order["quantity"], order["status"]) == ("tea-assam", 2, "placed")
    assert placed.headers["location"] == f"/orders/{order['id']}"

    read, _ = demo.request("orders", "GET", placed.headers["location"])
    assert read.json() == order

    listed, _ = demo.request("orders", "GET", "/orders?sku=tea-assam&status=placed")
    assert order in listed.json()["orders"]

    reservation, _ = demo.request("inventory", "GET", f"/reservations/{order['reservation']}")
    assert (reservation.json()["sku"], reservation.json()["quantity"]) == ("tea-assam", 2)


def test_a_reservation_takes_goods_off_the_shelf_once_however_often_it_is_asked_for(demo: RunningDemo):
    wish = {"reference": str(uuid.uuid4()), "sku": "tray-bamboo", "quantity": 1}
    before, _ = demo.request("inventory", "GET", "/stock/tray-bamboo")

    first, _ = demo.request("inventory", "POST", "/reservations", json=wish)
    again, _ = demo.request("inventory", "POST", "/reservations", json=wish)

    after, _ = demo.request("inventory", "GET", "/stock/tray-bamboo")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    # Exactly: the load's customers never want a tray.
    assert after.json()["reserved"] == before.json()["reserved"] + 1
    assert after.json()["available"] == before.json()["available"] - 1


def test_more_than_there_is_answers_409_and_changes_nothing(demo: RunningDemo):
    shelf, _ = demo.request("inventory", "GET", "/stock/teapot-signed")
    wish = {"sku": "teapot-signed", "quantity": 26}

    answer, _ = demo.request("orders", "POST", "/orders", json=wish)

    assert answer.status_code == 409
    assert answer.json()["detail"] == f"26 of teapot-signed are wanted; {shelf.json()['available']} are available."
    order, _ = demo.request("orders", "GET", f"/orders/{answer.json()['order_id']}")
    assert order.json()["status"] == "rejected"


@pytest.mark.parametrize(
    ("service", "method", "path", "body", "status", "detail"),
    [
        ("orders", "POST", "/orders", b"[1", 400, "The body is not JSON: Expecting ',' delimiter: line 1 column 3 (char 2)."),
        pytest.param("orders", "POST", "/orders", b"[" * 100_000, 400, "The body is not JSON: ", id="nested too deep"),
        ("orders", "POST", "/orders", b"\xff", 400, "The body is not JSON: "),
        ("orders", "POST", "/orders", b"[1]", 400, "The body must be a JSON object; it is an array."),
        ("orders", "POST", "/orders", b"{}", 422, "sku must be a non-empty string; it is missing."),
        ("orders", "POST", "/orders", b'{"sku": 7}', 422, "sku must be a non-empty string; it is 7."),
        ("orders", "POST", "/orders", b'{"sku": "' + b"x" * 33 + b'"}', 422, "sku may have 32 characters; it has 33."),
        ("orders", "POST", "/orders", b'{"sku": "a"}', 422, "quantity must be a whole number from 1 to 100; it is missing."),
        ("orders", "POST", "/orders", b'{"sku": "a", "quantity": 0}', 422, "quantity must be a whole number from 1 to 100; it is 0."),
        ("orders", "POST", "/orders", b'{"sku": "a", "quantity": true}', 422, "quantity must be a whole number from 1 to 100; it is true."),
        ("orders", "POST", "/orders", b'{"sku": "unicorn", "quantity": 1}', 422, "There is no SKU unicorn."),
        ("orders", "GET", "/orders?status=lost", None, 400, 'status is one of pending, placed, rejected, failed; it is "lost".'),
        ("orders", "GET", "/orders/99999999", None, 404, "There is no order 99999999."),
        ("orders", "GET", "/orders/nine", None, 404, "Nothing lives at /orders/nine."),
        ("orders", "DELETE", "/orders", None, 405, "DELETE is not allowed here. Allowed: GET, POST, HEAD, OPTIONS."),
        ("inventory", "POST", "/reservations", b'{"reference": "x"}', 422, 'reference must be a UUID; it is "x".'),
        ("inventory", "GET", "/stock/unicorn", None, 404, "There is no SKU unicorn."),
        ("inventory", "GET", f"/reservations/{MISSING}", None, 404, f"There is no reservation {MISSING}."),
        ("inventory", "PUT", "/stock/tea-assam", None, 405, "PUT is not allowed here. Allowed: GET, HEAD, OPTIONS."),
    ],
)
def test_bad_input_gets_a_problem_body(
    demo: RunningDemo, service: str, method: str, path: str, body: bytes | None, status: int, detail: str
):
    """RFC 9457: its media type, its members, and a detail that names the field and the value."""
    answer, _ = demo.request(service, method, path, content=body)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert answer.json()["title"]
    assert answer.json()["detail"].startswith(detail)


@pytest.mark.parametrize("service", ["orders", "inventory"])
def test_probes_answer(demo: RunningDemo, service: str):
    alive, _ = demo.request(service, "GET", "/livez")
    ready, _ = demo.request(service, "GET", "/readyz")
    assert alive.json() == {"status": "alive"}
    assert ready.json() == {"status": "ready"}


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_migrations_say_what_the_models_say(service: Service, tmp_path: Path):
    environment = migration_environment(service, Run(tmp_path, {"stack": 1, **{other.name: other.port for other in SERVICES}}))
    check = subprocess.run(
        [sys.executable, "-W", "error", "-m", "django", "makemigrations", "--check", "--dry-run"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (check.returncode, check.stdout.strip()) == (0, "No changes detected"), check.stderr


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_services_do_not_know_one_another(service: Service):
    """Decoupled: a service imports itself, the chassis, the faults and the kit, but no neighbour."""
    neighbours = {other.name for other in SERVICES} - {service.name}
    folder = Path(sys.modules["otelkit_demo"].__path__[0]) / service.name
    for source in folder.rglob("*.py"):
        for neighbour in neighbours:
            assert f"otelkit_demo.{neighbour}" not in source.read_text(), source
