"""What compose/README.md says in numbers and names is what the files say."""

from __future__ import annotations

import re

from otelkit_demo.faults import BAD_VERSION, FAULTS
from tests.compose.stack_files import COMPOSE, config, environment_file, services

README = (COMPOSE / "README.md").read_text()

LIMITS = {name: service["deploy"]["resources"]["limits"]["memory"].removesuffix("M") for name, service in services().items()}
SHOWN = {name: limit for name, limit in LIMITS.items() if re.fullmatch(r"[a-z]+(-\d)?", name)}
"""Without the one-shots and the processes beside services, which have a line of text."""


def test_the_ports_are_those_of_the_environment_file():
    said: dict[str, str] = {}
    for ports, variables in re.findall(r"^\| ([\d, ]+) \| ([`\w, ]+) \|", README, re.MULTILINE):
        said |= dict(zip(re.findall(r"\w+", variables), re.findall(r"\d+", ports), strict=True))
    assert said == {name: value for name, value in environment_file().items() if name.endswith("_PORT")}


def test_the_memory_limits_are_those_of_the_compose_file():
    assert dict(re.findall(r"^\| ([\w-]+)[^|]* \|\s*\d*\s*\| (\d+) \|", README, re.MULTILINE)) == SHOWN


def test_the_limits_add_up_to_what_is_said():
    assert f"add up to {sum(map(int, SHOWN.values())) / 1024:.1f} GiB" in README
    beside = [int(LIMITS[name]) for name, service in services().items() if name not in SHOWN and service["restart"] != "no"]
    assert f"{sum(beside) / 1024:.1f} GiB for the processes beside services" in README
    assert set(beside) == {160}


def test_every_path_and_fault_that_is_named_exists():
    for path in re.findall(r"`([\w./-]+/)`|`((?:[\w.-]+/)+[\w.-]+\.(?:ya?ml|md))`", README):
        assert (COMPOSE / (path[0] or path[1])).exists(), path
    assert set(re.findall(r"fault set (\S+)", README)) <= {fault.name for fault in FAULTS}


def test_every_container_that_a_command_names_exists():
    named = re.findall(r"docker compose (?:exec|stop|logs|up .*--no-deps) ([a-z][\w-]*)", README)
    assert {"gateway", "postgres", "rabbitmq", "catalog-1", "catalog-2"} <= set(named)
    assert set(named) <= set(services())


def test_the_canary_is_the_version_that_the_fault_strikes_in():
    assert re.findall(r"CATALOG_CANARY_VERSION=(\S+)", README) == [BAD_VERSION]


def test_the_replicas_and_what_runs_once_are_those_of_the_compose_file():
    """What is said of the parts by name is true of the file."""
    (said,) = re.findall(r"run twice, as (.+?);", README, re.DOTALL)
    assert re.findall(r"`([\w-]+)`", said) == sorted(name for name in services() if re.fullmatch(r"\w+-\d", name))
    lean = set(config("compose.lean.yaml")["services"]) - {"stack-ready"}
    assert lean == {"grafana", "tempo"}
    assert "Grafana and Tempo are the two largest" in README
    assert set(sorted(SHOWN, key=lambda name: int(SHOWN[name]))[-2:]) == lean
