"""What compose/README.md says in numbers and names is what the files say."""

from __future__ import annotations

import re

from otelkit_demo.faults import FAULTS
from tests.compose.stack_files import COMPOSE, environment_file, services

README = (COMPOSE / "README.md").read_text()


def test_the_ports_are_those_of_the_environment_file():
    said: dict[str, str] = {}
    for ports, variables in re.findall(r"^\| ([\d, ]+) \| ([`\w, ]+) \|", README, re.MULTILINE):
        said |= dict(zip(re.findall(r"\w+", variables), re.findall(r"\d+", ports), strict=True))
    assert said == {name: value for name, value in environment_file().items() if name.endswith("_PORT")}


def test_the_memory_limits_are_those_of_the_compose_file():
    said = dict(re.findall(r"^\| (\w+)[^|]* \|\s*\d*\s*\| (\d+) \|", README, re.MULTILINE))
    limits = {name: service["deploy"]["resources"]["limits"]["memory"].removesuffix("M") for name, service in services().items()}
    assert said == {name: limit for name, limit in limits.items() if "-" not in name}


def test_the_limits_add_up_to_what_is_said():
    limits = [int(service["deploy"]["resources"]["limits"]["memory"][:-1]) for name, service in services().items() if "-" not in name]
    assert f"{sum(limits) / 1024:.1f} GiB" in README


def test_every_path_and_fault_that_is_named_exists():
    for path in re.findall(r"`([\w./-]+/)`|`((?:[\w.-]+/)+[\w.-]+\.(?:ya?ml|md))`", README):
        assert (COMPOSE / (path[0] or path[1])).exists(), path
    assert set(re.findall(r"fault set (\S+)", README)) <= {fault.name for fault in FAULTS}
