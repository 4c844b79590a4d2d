"""The flag file and its command line."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path

import pytest
import yaml

from otelkit.catalog.objectives import LATENCY_THRESHOLD
from otelkit_demo.__main__ import main
from otelkit_demo.faults import (
    FAULTS,
    FLAG_FILE_VARIABLE,
    INVENTORY_FAIL,
    INVENTORY_SLOW,
    SLOW_SECONDS,
    Fault,
    FaultError,
    FlagFile,
    Silence,
)

ROOT = Path(__file__).parents[2]


@pytest.fixture
def flags(tmp_path: Path) -> FlagFile:
    return FlagFile(tmp_path / "faults.json")


def test_a_fault_strikes_its_share_of_calls(flags: FlagFile):
    assert not flags.strikes(INVENTORY_SLOW)

    flags.set(INVENTORY_SLOW.name, 0.5)
    struck = sum(flags.strikes(INVENTORY_SLOW) for _ in range(2000))
    assert 800 < struck < 1200, "within nine standard deviations of the half"
    assert not any(flags.strikes(INVENTORY_FAIL) for _ in range(100))

    flags.set(INVENTORY_SLOW.name, 1)
    assert all(flags.strikes(INVENTORY_SLOW) for _ in range(100))


def test_another_process_sees_a_change_with_its_next_look(flags: FlagFile):
    """Also when the file keeps its size and, on a coarse clock, its time."""
    service = FlagFile(flags.path)
    flags.set(INVENTORY_SLOW.name, 0.3)
    assert service.shares() == {"inventory.slow": 0.3}
    flags.set(INVENTORY_SLOW.name, 0.4)
    assert service.shares() == {"inventory.slow": 0.4}
    flags.clear()
    assert service.shares() == {}


def test_an_unchanged_file_is_read_once(flags: FlagFile, monkeypatch: pytest.MonkeyPatch):
    flags.set(INVENTORY_SLOW.name, 1)
    flags.shares()
    monkeypatch.setattr(Path, "read_text", lambda *_: pytest.fail("the file was read again"))
    assert flags.shares() == {"inventory.slow": 1}


@pytest.mark.parametrize("content", ["{", "[]", '{"inventory.slow": 2}', '{"inventory.slow": true}', '{"inventory.slwo": 1}', "\udcff"])
def test_a_broken_file_leaves_faults_as_they_were_and_says_so_once(flags: FlagFile, caplog: pytest.LogCaptureFixture, content: str):
    flags.set(INVENTORY_FAIL.name, 0.2)
    assert flags.shares() == {"inventory.fail": 0.2}
    flags.path.write_bytes(content.encode(errors="surrogateescape") + b" ")

    with caplog.at_level(logging.WARNING):
        assert flags.shares() == {"inventory.fail": 0.2}
        assert flags.shares() == {"inventory.fail": 0.2}

    assert [record.message for record in caplog.records] == ["flag file cannot be read, faults stay as they were"]


def test_clearing_names_what_was_set(flags: FlagFile):
    flags.set(INVENTORY_SLOW.name, 0.5)
    flags.set(INVENTORY_FAIL.name, 0.5)
    assert flags.clear(INVENTORY_FAIL.name) == ("inventory.fail",)
    assert flags.clear(INVENTORY_FAIL.name) == ()
    assert flags.clear() == ("inventory.slow",)
    assert json.loads(flags.path.read_text()) == {}
    assert list(flags.path.parent.iterdir()) == [flags.path], "no temporary file is left"


def test_an_unknown_fault_offers_the_nearest_name(flags: FlagFile):
    with pytest.raises(FaultError, match=re.escape('"inventory.slwo" is not a fault. Did you mean "inventory.slow"?')):
        flags.set("inventory.slwo", 1)
    with pytest.raises(FaultError, match=re.escape('"zzz" is not a fault. Known are: payments.fail, payments.slow, ')):
        flags.clear("zzz")


@pytest.mark.parametrize("share", [0, -1, 1.5, float("nan")])
def test_a_share_outside_its_range_is_refused(flags: FlagFile, share: float):
    with pytest.raises(FaultError, match="must be above 0 and at most 1; it is"):
        flags.set(INVENTORY_SLOW.name, share)
    assert not flags.path.exists()


def test_the_command_line_sets_lists_and_clears(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["fault", "set", "inventory.slow", "0.5", "--data", str(tmp_path)]) == 0
    assert capsys.readouterr().out == (
        f"Fault inventory.slow hits 50%: Placing an order takes {SLOW_SECONDS:g} s longer. "
        "Expect DjangoLatencyBudgetBurn of inventory within 5 min.\n"
    )
    assert main(["fault", "list", "--data", str(tmp_path)]) == 0
    listed = capsys.readouterr().out
    assert re.search(r"^inventory\.slow +50%  Placing", listed, re.MULTILINE)
    assert re.search(r"^inventory\.fail +off  Orders", listed, re.MULTILINE)
    assert main(["fault", "clear", "--data", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "Cleared: inventory.slow.\n"
    assert main(["fault", "clear", "--data", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "Nothing was set.\n"


def test_the_command_line_takes_the_flag_file_of_its_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(FLAG_FILE_VARIABLE, str(tmp_path / "mine.json"))
    assert main(["fault", "set", "inventory.fail"]) == 0
    assert json.loads((tmp_path / "mine.json").read_text()) == {"inventory.fail": 1.0}


def test_mistakes_on_the_command_line_are_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["fault", "set", "inventory.slwo", "--data", str(tmp_path)]) == 1
    assert capsys.readouterr().err == '"inventory.slwo" is not a fault. Did you mean "inventory.slow"?\n'
    assert main(["fault", "set", "inventory.slow", "--data", str(tmp_path / "none")]) == 1
    assert capsys.readouterr().err == f"No demo has run in {tmp_path}/none. Start one, or name its folder with --data DIR.\n"


def test_the_slow_fault_is_slow_enough_for_the_alert():
    """Above the latency objective. That it stays below the caller's timeout is seen on the living demo."""
    assert SLOW_SECONDS > LATENCY_THRESHOLD


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_every_fault_names_an_alert_and_a_runbook_that_exist_or_says_why_none_fires(fault: Fault):
    """D4, the paper half of it: what the fault promises is in the rules that ship."""
    if fault.alarm is None:
        assert isinstance(fault.promise, Silence)
        assert fault.promise.reason.endswith(".")
        return
    rules = [yaml.safe_load(path.read_text()) for path in (ROOT / "alerts" / "generated").rglob("*.y*ml")]
    alerts = {rule["alert"] for file in rules for group in file.get("groups", ()) for rule in group["rules"] if "alert" in rule}
    assert fault.alarm.name in alerts
    assert (ROOT / fault.alarm.runbook).is_file()


def test_the_catalogue_holds_what_was_promised():
    """Sixteen at least, most of which wake somebody; each named after the service or part that it breaks."""
    assert len(FAULTS) >= 16
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    assert sum(fault.alarm is not None for fault in FAULTS) >= 12
