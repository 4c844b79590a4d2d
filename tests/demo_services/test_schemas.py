"""Each service against its OpenAPI document, with otelkit on and off: what schemathesis thinks up gets the answers that were promised."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import otelkit_demo
from otelkit_demo.manifest import CATALOG, GATEWAY, NOTIFICATIONS, SERVICES, Service
from tests.demo_services.running_demo import RunningDemo, running_demo
from tests.demo_services.services.shop import Shop

pytestmark = pytest.mark.soak

FOLDER = Path(otelkit_demo.__path__[0])
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
EXAMPLES = "25"


@pytest.fixture(scope="module", params=[True, False], ids=["otelkit on", "otelkit off"])
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The shop, observed or not, that only we use."""
    silent = () if request.param else ("--without-otelkit",)
    with running_demo(tmp_path_factory.mktemp("schemas") / "data", "--load", "0", "--minutes", "60", *silent) as demo:
        yield Shop(demo)


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_a_service_answers_as_its_document_says(shop: Shop, service: Service, tmp_path: Path):
    """B10, G1: the same with the kit on and off."""
    run = examined(shop.demo, service, token=token_for(shop, service), folder=tmp_path)
    assert run.returncode == 0, run.stdout[-6000:]


def token_for(shop: Shop, service: Service) -> str | None:
    """An operator's token; None for a service that asks for none."""
    return None if service in (GATEWAY, CATALOG, NOTIFICATIONS) else str(shop.token("operator", service.name).json()["access_token"])


def examined(demo: RunningDemo, service: Service, *, token: str | None, folder: Path) -> subprocess.CompletedProcess[str]:
    """What schemathesis says of one service. The same seed thinks up the same requests."""
    who = ["--header", f"Authorization: Bearer {token}"] if token else []
    call = [
        str(Path(sys.executable).with_name("schemathesis")),
        "run",
        str(FOLDER / service.name / "openapi.yaml"),
        "--url",
        demo.url(service.name),
    ]
    bounds = [
        "--checks",
        CHECKS,
        "--max-examples",
        EXAMPLES,
        "--seed",
        "7",
        "--phases",
        "examples,coverage,fuzzing",
        "--continue-on-failure",
    ]
    # A stream has no end to wait for.
    left_out = ["--exclude-path", "/stream"]
    return subprocess.run(
        [*call, *who, *bounds, *left_out, "--warnings", "off", "--no-color", "--request-timeout", "15"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
