"""Which services run a second version, as the command line says and the supervisor reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from otelkit_demo.__main__ import main
from otelkit_demo.errors import DemoError
from otelkit_demo.faults import BAD_VERSION, DEPLOY_BAD_VERSION
from otelkit_demo.folder import deploy_file
from otelkit_demo.versions import DEPLOYABLE, Deploys


@pytest.fixture
def deploys(tmp_path: Path) -> Deploys:
    return Deploys(deploy_file(tmp_path))


def test_what_is_deployed_is_wanted_until_it_is_taken_back(deploys: Deploys):
    assert deploys.wanted({}) == {}
    deploys.deploy("catalog", "1.4.1")
    deploys.deploy("orders", "2.0.0-rc.1")
    assert deploys.wanted({}) == {"catalog": "1.4.1", "orders": "2.0.0-rc.1"}
    assert deploys.take_back("catalog")
    assert not deploys.take_back("catalog")
    assert deploys.wanted({}) == {"orders": "2.0.0-rc.1"}


def test_the_fault_deploys_the_bad_version(deploys: Deploys):
    assert deploys.wanted({DEPLOY_BAD_VERSION.name: 0.5}) == {DEPLOY_BAD_VERSION.service: BAD_VERSION}
    assert DEPLOY_BAD_VERSION.service in {service.name for service in DEPLOYABLE}


@pytest.mark.parametrize("content", ["{", "[]", '{"nobody": "1.0"}'])
def test_a_file_that_says_nothing_wants_nothing(deploys: Deploys, content: str):
    deploys.path.write_text(content)
    assert deploys.wanted({}) == {}


def test_what_cannot_be_deployed_is_one_sentence(deploys: Deploys):
    with pytest.raises(DemoError, match=r'"notifications" cannot have two versions at one port\. These can: '):
        deploys.deploy("notifications", "1.0")
    with pytest.raises(DemoError, match='"latest" is not a version'):
        deploys.deploy("catalog", "latest")
    assert not deploys.path.exists()


def test_the_command_line_deploys_and_takes_back(tmp_path: Path, deploys: Deploys, capsys: pytest.CaptureFixture[str]):
    data = ("--data", str(tmp_path))
    assert main(["deploy", "catalog", "1.4.1", *data]) == 0
    assert deploys.wanted({}) == {"catalog": "1.4.1"}
    assert main(["deploy", "catalog", *data]) == 0
    assert main(["deploy", "catalog", *data]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "catalog 1.4.1 starts beside the version that runs.",
        "The second version of catalog is taken back.",
        "catalog runs one version.",
    ]
