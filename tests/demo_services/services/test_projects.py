"""What holds for each of the shop's projects, whether it runs or not: migrations, schema, owner, decoupling."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import otelkit_demo
from otelkit_demo.environment import Run, migration_environment
from otelkit_demo.manifest import SERVICES, Service

FOLDER = Path(otelkit_demo.__path__[0])

each = pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)


def django(service: Service, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    run = Run(folder, {name: number for number, name in enumerate(("stack", *(one.name for one in SERVICES)), 1)})
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "django", *arguments],
        env=migration_environment(service, run),
        capture_output=True,
        text=True,
        check=False,
    )


@each
def test_migrations_say_what_the_models_say(service: Service, tmp_path: Path):
    check = django(service, tmp_path, "makemigrations", "--check", "--dry-run")
    assert (check.returncode, check.stdout.strip()) == (0, "No changes detected"), check.stderr


@each
def test_the_schema_says_what_the_views_say(service: Service, tmp_path: Path):
    """API first: openapi.yaml is what callers were promised. After a change: python -m django spectacular --file openapi.yaml."""
    fresh = tmp_path / "openapi.yaml"
    written = django(service, tmp_path, "spectacular", "--file", str(fresh), "--fail-on-warn", "--validate")
    assert written.returncode == 0, written.stderr
    assert fresh.read_text() == (FOLDER / service.name / "openapi.yaml").read_text()


@each
def test_services_do_not_know_one_another_nor_the_kit_s_insides(service: Service):
    """Decoupled: a service imports itself, the chassis, the faults, and of the kit its patterns."""
    allowed = (f"otelkit_demo.{service.name}", "otelkit_demo.chassis", "otelkit_demo.faults", "otelkit.patterns")
    for source in (FOLDER / service.name).rglob("*.py"):
        for node in ast.walk(ast.parse(source.read_text())):
            names = (
                [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else [a.name for a in node.names]
                if isinstance(node, ast.Import)
                else []
            )
            ours = [name for name in names if name.partition(".")[0] in ("otelkit", "otelkit_demo", "otelkit_stack")]
            assert all(
                name == one or name.startswith(f"{one}.") for name in ours for one in [next((a for a in allowed if name.startswith(a)), "")]
            ), (
                source,
                ours,
            )


@each
def test_the_manifest_and_the_settings_name_one_owner(service: Service):
    """Who is told at 3 a.m. stands on every signal: the manifest must not say somebody else."""
    settings = import_module(service.settings)
    said = settings.OTELKIT["service"]
    assert (said["name"], said["owner"], said["criticality"]) == (service.name, service.owner, service.criticality)


@each
def test_each_service_says_what_it_is(service: Service):
    readme = (FOLDER / service.name / "README.md").read_text()
    assert readme.startswith(f"# {service.name.capitalize()}")
    assert service.owner in readme
