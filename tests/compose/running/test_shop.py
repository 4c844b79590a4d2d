"""The shop on PostgreSQL and RabbitMQ, and its page: where an order leaves its rows, by which road it is told, and who sees it."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator

import pytest

from tests.backends import wait_until
from tests.compose.composed_stack import ComposedStack
from tests.compose.running.ordering import ARRIVES, Order, check_out, notified

pytestmark = pytest.mark.containers

ROWS = {
    "orders": "SELECT count(*) FROM orders_order WHERE reference = '{reference}'",
    "inventory": "SELECT count(*) FROM inventory_reservation WHERE reference = '{reference}'",
    "payments": "SELECT count(*) FROM payments_payment WHERE reference = '{reference}'",
    "notifications": "SELECT count(*) FROM notifications_notification WHERE \"order\" = '{reference}'",
}
"""Database to a question that is answered with 1 once the order has left its row."""

QUEUE = "orders.notifications"
"""Where events of orders wait for the consumer of notifications."""


def psql(stack: ComposedStack, role: str, database: str, statement: str) -> str:
    """What PostgreSQL answers. Raises AssertionError with its words where it refuses."""
    words = ("psql", "--no-psqlrc", "--tuples-only", "--no-align", "--host", "127.0.0.1")
    password = stack.variable(f"{role.upper()}_DB_PASSWORD")
    login = ("--env", f"PGPASSWORD={password}", "postgres")
    return stack.compose("exec", "--no-TTY", *login, *words, "--username", role, "--dbname", database, "--command", statement).strip()


@pytest.mark.parametrize("service", ROWS)
def test_an_order_leaves_its_row_in_the_database_of_each_service(stack: ComposedStack, order: Order, service: str):
    question = ROWS[service].format(reference=order.reference)
    wait_until(lambda: psql(stack, service, service, question) == "1", ARRIVES, f"no row in the database of {service}", every=1)


def test_a_service_is_refused_at_the_database_of_another(stack: ComposedStack):
    """Database per service, by PostgreSQL's own word."""
    with pytest.raises(AssertionError, match='permission denied for database "payments"'):
        psql(stack, "orders", "payments", "SELECT 1")


def waiting(stack: ComposedStack) -> int:
    """Messages that lie in RabbitMQ, sent by orders and not taken by notifications."""
    words = ("rabbitmqctl", "--quiet", "list_queues", "--no-table-headers", "name", "messages")
    lines = stack.compose("exec", "--no-TTY", "rabbitmq", *words).splitlines()
    return sum(int(count) for name, count in (line.split() for line in lines if line) if name == QUEUE)


def test_an_order_s_event_goes_through_rabbitmq(stack: ComposedStack):
    """While the consumer is away it lies there; when it is back the customer is told, and nothing is left."""
    stack.compose("stop", "notifications-consumer")
    try:
        placed = check_out(stack, "tray-bamboo")
        wait_until(lambda: waiting(stack) == 1, ARRIVES, "the event is not in RabbitMQ", every=1)
        assert notified(stack, placed) == []
    finally:
        stack.compose("start", "notifications-consumer")
    wait_until(lambda: notified(stack, placed), ARRIVES, "the customer was not told")
    wait_until(lambda: waiting(stack) == 0, ARRIVES, "the event is still in RabbitMQ", every=1)


def test_the_page_follows_a_stream_that_tells_of_the_order(stack: ComposedStack):
    """From the address that the page names, as a browser outside asks it, without a proxy on the way that would wait for the end."""
    with urllib.request.urlopen(stack.gateway, timeout=30) as page:
        (address,) = re.findall(r'data-stream="([^"]+)"', page.read().decode())
    with urllib.request.urlopen(urllib.request.Request(address, headers={"origin": stack.gateway}), timeout=ARRIVES) as stream:
        assert stream.headers["access-control-allow-origin"] == stack.gateway
        assert stream.readline() == b": here\n"
        placed = check_out(stack, "tray-bamboo")
        told = next(event for event in events(stream) if event["order"] == placed.reference)
    assert told["event"] == "order.placed"
    assert "tray-bamboo" in told["text"]


def events(stream: Iterator[bytes]) -> Iterator[dict[str, str]]:
    """The data of each server-sent event."""
    for line in stream:
        if line.startswith(b"data: "):
            yield json.loads(line.removeprefix(b"data: "))
