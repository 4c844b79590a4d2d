"""Something is wrong, find it: what is played, and that the key tells it."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from otelkit_demo.__main__ import main
from otelkit_demo.faults import FAULTS, FlagFile
from otelkit_demo.mystery import ACT_SECONDS, QUIET_SECONDS, Mystery, acts, key


def test_the_same_seed_plays_the_same_faults_at_the_same_times():
    assert [*islice(acts(7), 30)] == [*islice(acts(7), 30)]
    assert [*islice(acts(7), 30)] != [*islice(acts(8), 30)]


def test_every_fault_comes_once_before_one_comes_again():
    played = [act.fault for act in islice(acts(3), 2 * len(FAULTS))]
    assert sorted(fault.name for fault in played[: len(FAULTS)]) == sorted(fault.name for fault in FAULTS)
    assert len({fault.name for fault in played[len(FAULTS) :]}) == len(FAULTS)


def test_there_is_quiet_before_each_act_and_time_for_its_alert():
    before_s = 0
    for act in islice(acts(1), 40):
        assert QUIET_SECONDS[0] <= act.begin_s - before_s <= QUIET_SECONDS[1]
        assert act.end_s - act.begin_s >= ACT_SECONDS[0]
        before_s = act.end_s


def test_faults_are_set_and_cleared_when_their_time_has_come(tmp_path: Path):
    flags = FlagFile(tmp_path / "faults.json")
    mystery = Mystery(5, flags)
    first, second = islice(acts(5), 2)
    seen = []
    for second_s in range(second.begin_s + 1):
        mystery.play(second_s)
        if not seen or seen[-1][1] != dict(flags.shares()):
            seen.append((second_s, dict(flags.shares())))
    assert seen == [
        (0, {}),
        (first.begin_s, {first.fault.name: first.share}),
        (first.end_s, {}),
        (second.begin_s, {second.fault.name: second.share}),
    ]
    assert mystery.begun == 2


def test_a_fault_that_somebody_set_by_hand_stays(tmp_path: Path):
    flags = FlagFile(tmp_path / "faults.json")
    (act,) = islice(acts(5), 1)
    other = next(fault for fault in FAULTS if fault is not act.fault)
    mystery = Mystery(5, flags)
    mystery.play(act.begin_s)
    flags.set(other.name, 0.2)
    mystery.play(act.end_s)
    assert flags.shares() == {other.name: 0.2}


def test_the_key_tells_when_what_was_wrong_and_what_it_promised(capsys: pytest.CaptureFixture[str]):
    assert main(["answer", "--seed", "5", "--acts", "2"]) == 0
    said = capsys.readouterr().out.rstrip("\n")
    assert said == key(5, 2)
    for act in islice(acts(5), 2):
        assert f"{act.fault.name} {act.share:.0%}, in {act.fault.service}" in said
        assert act.fault.seen in said
