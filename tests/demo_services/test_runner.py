"""The supervisor: whatever ends it, nothing is left running, and what it says is one clear sentence."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from otelkit_demo.__main__ import main
from otelkit_demo.manifest import SERVICES
from tests.backends import wait_until
from tests.demo_services.running_demo import READY, Process, RunningDemo, processes, running_demo

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for left processes in /proc")


def left_of(family: set[Process]) -> set[Process]:
    return family & set(processes())


def test_ctrl_c_leaves_no_process_and_no_listening_port(tmp_path: Path):
    """E1."""
    with running_demo(tmp_path / "data", "--services", "gateway,catalog", "--load", "5") as demo:
        family = demo.family()
        assert len(family) >= 9, "supervisor, stack, two gunicorns with three workers, probes, load"
        demo.wait_for_line("First trace after")

        demo.process.send_signal(signal.SIGINT)

        assert demo.end() == 0
        assert left_of(family) == set()
        assert demo.free_ports()
    assert demo.lines[-1].startswith("After ")
    assert "Nothing is left running." in demo.lines[-1]
    # What the services sent while they ended is counted too.
    assert "gateway 0 requests" not in demo.lines[-1]
    assert "gateway" in demo.lines[-1]


def test_a_killed_supervisor_leaves_no_process_and_no_listening_port(tmp_path: Path):
    """Nobody can clean up after SIGKILL but the children themselves."""
    if sys.platform != "linux":
        pytest.skip("only Linux tells children of their parent's death")
    with running_demo(tmp_path / "data", "--services", "inventory") as demo:
        family = demo.family()

        demo.process.kill()

        assert demo.end() == -signal.SIGKILL
        wait_until(lambda: not left_of(family) and demo.free_ports(), 20, "children outlived their supervisor")


def test_a_child_that_dies_ends_the_demo_with_its_last_words(tmp_path: Path):
    with running_demo(tmp_path / "data", "--services", "inventory", "--load", "0") as demo:
        family = demo.family()
        # Of gunicorn's processes the one that the supervisor has started.
        inventory = next(
            process
            for process in family
            if process.parent == demo.process.pid and b"inventory.wsgi" in Path(f"/proc/{process.pid}/cmdline").read_bytes()
        )

        os.kill(inventory.pid, signal.SIGKILL)

        assert demo.end() == 1
        assert left_of(family) == set()
        assert demo.free_ports()
    said = "\n".join(demo.lines)
    assert "inventory died (killed by SIGKILL). Its last lines:\n    {" in said
    assert "otelkit 0." in said, "the start line of the service is among its last"


def test_ctrl_c_during_the_start_leaves_nothing_either(tmp_path: Path):
    """E5: interrupted start."""
    process = subprocess.Popen(
        [sys.executable, "-m", "otelkit_demo", "--data", str(tmp_path / "data"), "--services", "inventory"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    demo = RunningDemo(process, tmp_path / "data", {})
    demo.read()
    demo.wait_for_line("Starting the embedded stack")
    wait_until(lambda: len(demo.family()) >= 2, 20, "no child was started")
    family = demo.family()

    process.send_signal(signal.SIGINT)

    assert demo.end() == 0
    assert left_of(family) == set()
    assert demo.lines[-1] == "Stopped before the demo was ready. Nothing is left running."


def test_minutes_bound_the_demo(tmp_path: Path):
    with running_demo(tmp_path / "data", "--services", "inventory", "--minutes", "0.02") as demo:
        assert demo.end() == 0
    assert demo.lines[-1].startswith("After ")


def test_a_taken_port_that_was_asked_for_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """E5."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--data", str(tmp_path / "data"), "--orders-port", str(port)]) == 1
    assert capsys.readouterr().err == (
        f"Port {port} for orders is taken by another program. Give another with --orders-port, or leave it out: a free one is found.\n"
    )
    assert not (tmp_path / "data").exists()


def test_a_second_demo_in_the_same_folder_says_who_is_there(demo: RunningDemo, capsys: pytest.CaptureFixture[str]):
    assert main(["--data", str(demo.folder)]) == 1
    assert capsys.readouterr().err == (
        f"A demo runs in {demo.folder} already (pid {demo.process.pid}). Stop it, or give this one a folder of its own with --data DIR.\n"
    )


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """E5."""
    (tmp_path / "file").write_text("")
    assert main(["--data", str(tmp_path / "file" / "data")]) == 1
    assert capsys.readouterr().err == f"The folder {tmp_path}/file/data cannot be written: Not a directory. Give another with --data DIR.\n"


def test_a_full_disk_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """E5: /dev/full refuses every write as a full disk does."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "demo.lock").symlink_to("/dev/full")
    assert main(["--data", str(tmp_path / "data")]) == 1
    said = capsys.readouterr().err
    assert said == f"The folder {tmp_path}/data cannot be written: No space left on device. Give another with --data DIR.\n"


def test_the_default_folder_is_emptied_and_a_given_one_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from otelkit_demo.folder import DEFAULT_FOLDER, demo_folder

    monkeypatch.chdir(tmp_path)
    for folder in (DEFAULT_FOLDER, Path("mine")):
        (folder / "logs").mkdir(parents=True)
        (folder / "orders.sqlite3").write_text("earlier")
        (folder / "logs" / "orders.log").write_text("earlier")

    with demo_folder(None) as fresh:
        assert fresh == tmp_path / DEFAULT_FOLDER
        assert sorted(path.name for path in fresh.rglob("*")) == ["broker", "demo.lock", "logs"]
    with demo_folder(Path("mine")) as kept:
        assert (kept / "orders.sqlite3").read_text() == "earlier"
        assert (kept / "logs" / "orders.log").read_text() == "earlier"


def test_the_start_table_names_each_service_and_what_all_processes_take(demo: RunningDemo):
    """E1. The bound holds for the whole shop: six services, their companions, the stack and the load."""
    start = [line.split() for line in demo.lines[: demo.lines.index(demo.wait_for_line(READY))]]
    assert {words[0] for words in start if words and words[-1] == "MiB" and words[0] != "Services"} >= {
        "stack",
        *(service.name for service in SERVICES),
    }
    said = re.fullmatch(r"Services up after ([0-9.]+) s; (\d+) processes take (\d+) MiB\.", demo.wait_for_line("Services up after"))
    assert said
    assert int(said[2]) >= len(demo.family()) - 2, "the probes and the load come later"
    assert int(said[3]) < 1.6 * 1024


def test_a_service_that_is_unknown_is_one_sentence(capsys: pytest.CaptureFixture[str]):
    """E5."""
    with pytest.raises(SystemExit):
        main(["--services", "orders,invntory"])
    assert '"invntory" is no service. Known are: gateway, orders, inventory, catalog, payments, notifications' in capsys.readouterr().err
