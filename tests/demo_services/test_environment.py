"""What children are told of the shell that the demo was started in."""

from __future__ import annotations

from pathlib import Path

from otelkit_demo.environment import Run, clean_environment, service_environment
from otelkit_demo.manifest import ORDERS, SERVICES


def test_what_would_steer_the_demo_is_left_out():
    kept = clean_environment({"OTEL_SERVICE_NAME": "x", "OTELKIT_PRESET": "x", "SHOP_SECRET": "x", "LANG": "C.UTF-8"})
    assert {"LANG"} == kept.keys() - {"NO_PROXY", "no_proxy"}


def test_a_proxy_for_the_world_outside_is_not_asked_for_neighbours():
    """And who goes where without it stays so."""
    kept = clean_environment({"HTTP_PROXY": "http://proxy:3128", "no_proxy": "intranet.example"})
    assert kept["HTTP_PROXY"] == "http://proxy:3128"
    assert kept["NO_PROXY"] == kept["no_proxy"] == "intranet.example,127.0.0.1,localhost"
    assert clean_environment({})["NO_PROXY"] == "127.0.0.1,localhost"


def test_the_services_of_a_run_share_two_secrets_and_no_database(tmp_path: Path):
    run = Run(tmp_path, {"stack": 1, **{service.name: service.port for service in SERVICES}})
    told = [service_environment(service, run) for service in SERVICES]
    assert len({environment["SHOP_SECRET"] for environment in told}) == 1
    assert len({environment["DJANGO_SECRET_KEY"] for environment in told}) == 1
    assert len({environment["DATABASE_URL"] for environment in told}) == len(SERVICES)
    assert service_environment(ORDERS, Run(tmp_path, run.ports))["SHOP_SECRET"] != told[0]["SHOP_SECRET"]
    assert told[0]["SHOP_SECRET"] not in repr(run)
