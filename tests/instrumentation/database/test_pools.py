"""Connection pools of the ORM: sizes, failures and waiting times."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import OperationalError, connections

from otelkit.testing import capture
from tests.instrumentation.database.conftest import close
from tests.project.models import Item


def test_a_pool_says_how_full_it_is_and_who_waited_in_vain(pooled_alias):
    """Three connections may open. While three threads hold them, a fourth gives up after half a second."""
    close(pooled_alias)
    connections[pooled_alias].close_pool()
    held, done = threading.Barrier(4), threading.Event()

    def hold() -> None:
        Item.objects.using(pooled_alias).count()
        held.wait(10)
        done.wait(10)
        close(pooled_alias)

    with capture() as telemetry, ThreadPoolExecutor(3) as threads:
        try:
            holding = [threads.submit(hold) for _ in range(3)]
            held.wait(10)
            with pytest.raises(OperationalError, match="couldn't get a connection"):
                Item.objects.using(pooled_alias).count()
            points = {name: telemetry.point(f"db.client.connection.{name}")["value"] for name in ("max", "timeouts")}
            states = {
                point["attributes"]["db.client.connection.state"]: point["value"]
                for point in telemetry.metrics["db.client.connection.count"]
            }
            assert (points, states) == ({"max": 3, "timeouts": 1}, {"idle": 0, "used": 3})
            waited = telemetry.point("db.client.connection.wait_time", db_client_connection_pool_name=pooled_alias)
            assert waited["sum"] >= 0.5
        finally:
            done.set()
        for thread in holding:
            thread.result(10)
    pool = connections[pooled_alias].pool
    assert "getconn" not in vars(pool), "stop() leaves the pool as it was"


def test_a_project_without_pools_has_no_series_of_them(telemetry):
    Item.objects.count()
    assert not any(name.startswith("db.client.connection") for name in telemetry.metrics)
