"""Which port goes to whom."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from otelkit_demo.errors import DemoError
from otelkit_demo.ports import PortWish, choose_ports, is_free
from tests.backends import free_port


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that something listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_the_usual_port_is_taken_when_it_is_free():
    usual = free_port()
    assert choose_ports(PortWish("orders", usual)) == {"orders": usual}


def test_a_taken_usual_port_is_replaced_by_a_free_one(taken: int):
    chosen = choose_ports(PortWish("orders", taken), PortWish("inventory", taken))
    assert taken not in chosen.values()
    assert len(set(chosen.values())) == 2
    assert all(is_free(port) for port in chosen.values())


def test_a_port_that_somebody_asked_for_is_nobody_else_s_usual_one():
    port = free_port()
    chosen = choose_ports(PortWish("stack", port), PortWish("orders", 1, asked=port))
    assert chosen["orders"] == port
    assert chosen["stack"] != port
    assert list(chosen) == ["stack", "orders"]


def test_a_port_asked_for_twice_is_refused():
    port = free_port()
    with pytest.raises(DemoError, match=f"--inventory-port and --orders-port are both {port}. Give each its own."):
        choose_ports(PortWish("orders", 1, asked=port), PortWish("inventory", 1, asked=port))


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_port_that_does_not_exist_is_refused(port: int):
    with pytest.raises(DemoError, match=f"--orders-port must be between 1 and 65535; it is {port}."):
        choose_ports(PortWish("orders", 1, asked=port))


def test_a_listener_on_all_addresses_takes_the_port_too():
    with socket.create_server(("0.0.0.0", 0)) as server:
        assert not is_free(server.getsockname()[1])
