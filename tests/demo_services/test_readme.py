"""What the demo's README says of faults, customers and options is what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from otelkit_demo.__main__ import main
from otelkit_demo.faults import FAULTS
from otelkit_demo.journeys import JOURNEYS
from otelkit_demo.manifest import SERVICES

FOLDER = Path(__file__).parents[2] / "demo_services"
README = (FOLDER / "README.md").read_text()


def test_the_table_of_faults_is_the_catalogue():
    rows = dict(re.findall(r"^\| `(\w+\.\w+)` \| .* \| (.*) \|$", README, re.MULTILINE))
    assert list(rows) == [fault.name for fault in FAULTS]
    for fault in FAULTS:
        if fault.alarm:
            assert rows[fault.name] == f"[`{fault.alarm.name}`](../{fault.alarm.runbook}) of {fault.alarm.service}"
        else:
            assert rows[fault.name].startswith("none: ")


def test_every_link_leads_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (FOLDER / target).exists(), target


def test_the_weights_of_the_journeys_are_those_of_the_load():
    said = sorted(
        int(weight)
        for weight in re.findall(r" (\d+)[,.]", README.partition("out of a hundred:")[2].partition("All carry")[0].replace("\n", " "))
    )
    assert said == sorted(journey.weight for journey in JOURNEYS)


def test_every_option_that_is_named_exists(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["--help"])
    known = set(re.findall(r"--[\w-]+", capsys.readouterr().out))
    named = set(re.findall(r"`(--[\w-]+)", README.partition("## Options")[2].partition("## Trouble")[0]))
    assert named <= known
    assert {f"--{service.name}-port" for service in SERVICES} <= known
