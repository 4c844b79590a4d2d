"""Catalog and orders scaled out: each replica has its own name, and whoever asks or counts sees one service."""

from __future__ import annotations

import contextlib
import urllib.request
from collections.abc import Iterator
from dataclasses import replace

import pytest

from otelkit.catalog import metrics as m
from otelkit.catalog.naming import series_name
from otelkit_dashboards.panels import Language
from otelkit_dashboards.queries import every_query
from otelkit_demo.faults import BAD_VERSION, GOOD_VERSION
from otelkit_demo.manifest import SERVICES
from tests.backends import wait_until
from tests.compose.composed_stack import ComposedStack
from tests.compose.running.ordering import ARRIVES

pytestmark = pytest.mark.containers

REQUESTS = series_name(m.HTTP_SERVER_REQUEST_DURATION)
REPLICATED = ("catalog", "orders")


def by(stack: ComposedStack, label: str, service: str) -> dict[str, float]:
    """Requests to the service by the values of the label."""
    found = stack.prometheus.query(f'sum by ({label}) ({REQUESTS}{{service_name="{service}"}})')
    return {sample["metric"].get(label, ""): float(sample["value"][1]) for sample in found}


def browse(stack: ComposedStack, times: int) -> Iterator[tuple[int, str | None]]:
    """Status and warning of so many product pages at the gateway, which shows an old page with a warning where catalog is away."""
    for _ in range(times):
        with urllib.request.urlopen(f"{stack.gateway}/api/products/cup-stoneware", timeout=30) as answer:
            yield answer.status, answer.headers["warning"]


@pytest.mark.parametrize("service", REPLICATED)
def test_both_replicas_serve_and_are_told_apart(stack: ComposedStack, service: str):
    wanted = {f"{service}-1:0", f"{service}-2:0"}
    wait_until(lambda: set(by(stack, "service_instance_id", service)) == wanted, ARRIVES, f"not both replicas of {service} were asked")
    assert min(by(stack, "service_instance_id", service).values()) >= 1


@pytest.mark.parametrize("service", REPLICATED)
def test_the_rules_see_one_service(stack: ComposedStack, service: str):
    """What alerts and boards are made from has no replica in it: two of them do not alert twice."""
    recorded = f'{{__name__=~"service:.+", service_name="{service}"}}'
    series = wait_until(lambda: stack.prometheus.series(recorded), ARRIVES, f"nothing is recorded of {service}")
    assert "service:slo_requests:rate20s" in {one["__name__"] for one in series}
    assert [one for one in series if {"service_instance_id", "instance", "host_name"} & set(one)] == []


@pytest.mark.parametrize("service", REPLICATED)
def test_the_overview_draws_one_service(stack: ComposedStack, service: str):
    """Requests, errors and latency are the service's; a line for each process has what each has for itself: processor, memory, threads."""
    variables = {"service": service, "environment": "demo", "route": ".*", "__rate_interval": "1m", "__range": "5m"}
    drawn = [query for query in every_query(variables) if query.board == "otelkit-service-overview" and query.language is Language.PROMQL]

    def lines() -> dict[str, list[dict[str, str]]]:
        return {query.panel: [sample["metric"] for sample in stack.prometheus.query(query.expression)] for query in drawn}

    def apart() -> dict[str, set[str]]:
        named = {
            panel: {labels["service_instance_id"] for labels in found if "service_instance_id" in labels}
            for panel, found in lines().items()
        }
        return {panel: names for panel, names in named.items() if names}

    beside = {f"{service}-{companion.name}" for one in SERVICES if one.name == service for companion in one.companions}
    processes = {f"{name}:0" for name in (f"{service}-1", f"{service}-2", *beside)}
    with contextlib.suppress(TimeoutError):  # a replica that has just begun has no rate yet
        wait_until(lambda: all(names == processes for names in apart().values()), ARRIVES, "", every=1)
    assert apart() == dict.fromkeys(("cpu", "memory", "open-files", "threads"), processes)
    counted = lines()
    assert {len(counted[panel]) for panel in ("request-rate", "error-ratio", "p95", "availability")} == {1}


def test_a_replica_that_goes_away_takes_no_request_with_it(stack: ComposedStack):
    assert set(browse(stack, 4)) == {(200, None)}
    stack.compose("stop", "--timeout", "10", "catalog-1")
    try:
        assert set(browse(stack, 20)) == {(200, None)}
    finally:
        stack.compose("start", "catalog-1")
    served = by(stack, "service_instance_id", "catalog").get("catalog-1:0", 0.0)

    def back() -> bool:
        assert set(browse(stack, 4)) == {(200, None)}
        return 0 < by(stack, "service_instance_id", "catalog").get("catalog-1:0", 0.0) != served

    wait_until(back, ARRIVES, "catalog-1 is asked no more", every=1)


def test_two_versions_run_side_by_side_and_the_version_separates_them(stack: ComposedStack):
    canary = replace(stack, environment={**stack.environment, "CATALOG_CANARY_VERSION": BAD_VERSION})
    deploy = ("up", "--detach", "--no-deps", "--no-build", "--wait", "catalog-2")
    canary.compose(*deploy)
    try:

        def versions() -> bool:
            assert set(browse(stack, 4)) == {(200, None)}
            return {GOOD_VERSION, BAD_VERSION} <= set(by(stack, "service_version", "catalog"))

        wait_until(versions, ARRIVES, "the second version is not seen", every=1)
    finally:
        stack.compose(*deploy)
    replicas = f'sum by (service_instance_id) ({REQUESTS}{{service_name="catalog", service_version="{BAD_VERSION}"}})'
    assert {sample["metric"]["service_instance_id"] for sample in stack.prometheus.query(replicas)} == {"catalog-2:0"}
