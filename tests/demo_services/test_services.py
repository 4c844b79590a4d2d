"""What holds for every service of the shop alike."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from otelkit_demo.environment import Run, migration_environment
from otelkit_demo.manifest import SERVICES, Service
from tests.demo_services.running_demo import RunningDemo

BY_NAME = pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)


@BY_NAME
def test_probes_answer(demo: RunningDemo, service: Service):
    for probe in ("/livez", "/readyz", "/startupz"):
        answer, _ = demo.request(service.name, "GET", probe)
        assert (probe, answer.status_code, answer.json()["status"]) == (probe, 200, "ok")


@BY_NAME
def test_what_is_not_there_gets_a_problem_body(demo: RunningDemo, service: Service):
    """RFC 9457: its media type, its members, and a detail that names the address."""
    answer, _ = demo.request(service.name, "GET", "/no/such/thing")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert (answer.json()["status"], answer.json()["detail"]) == (404, "Nothing lives at /no/such/thing.")


@BY_NAME
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


@BY_NAME
def test_services_do_not_know_one_another(service: Service):
    """Decoupled: a service imports itself, the chassis, the faults and the kit, but no neighbour."""
    neighbours = {other.name for other in SERVICES} - {service.name}
    folder = Path(sys.modules["otelkit_demo"].__path__[0]) / service.name
    for source in folder.rglob("*.py"):
        for neighbour in neighbours:
            assert f"otelkit_demo.{neighbour}" not in source.read_text(), source
