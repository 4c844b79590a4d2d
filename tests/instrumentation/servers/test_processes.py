"""Who of a server's processes is somebody: its workers, each in the lowest free slot, and nobody else."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.backends import wait_until
from tests.instrumentation.servers.running import Received, running
from tests.instrumentation.servers.table import named
from tests.receivers import hanging_receiver, receiver

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="the test finds the workers in /proc")


def test_recycled_workers_take_over_the_slots_of_those_before_them(tmp_path):
    """design.md, decision 8: two workers are slots 0 and 1, however many processes have been them, and none loses what it recorded."""
    with receiver() as receiving:
        with running(named("gunicorn sync --preload", "--max-requests", "8"), tmp_path, receiving.endpoint) as served:
            served.wait_until_ready(2)
            seen: set[int] = set()

            def many_have_answered() -> bool:
                if served.asks("/worker"):
                    seen.update(served.children)
                return len(seen) >= 8

            wait_until(many_have_answered, 60, "the workers are not recycled", every=0)
            served.stop()
        got = Received(receiving)
        assert got.slots() == served.slots == {"0", "1"}
        assert got.spans_by_trace() == dict.fromkeys(served.answered, 1)
        assert {resource["service.instance.id"].rpartition(":")[2] for _, resource in got.spans()} == {"0", "1"}


def test_a_killed_worker_leaves_its_slot_to_the_next(tmp_path):
    with receiver() as receiving, running(named("gunicorn sync --preload"), tmp_path, receiving.endpoint) as served:
        served.wait_until_ready(2)
        before = served.children
        for worker in before:
            os.kill(worker, signal.SIGKILL)
        wait_until(lambda: len(served.children) == 2 and served.children.isdisjoint(before), 60, "no new workers came")
        served.wait_until_ready(2)
        assert served.slots == {"0", "1"}


@pytest.mark.parametrize("workers", ["sync", "gthread"])
def test_a_preloading_master_is_nobody(tmp_path, workers):
    """B7: it has no slot and no thread, and sends nothing, not even its log lines, which its server prints as ever."""
    environment = {"OTEL_LOGS_EXPORTER": "console,otlp", "OTEL_BSP_SCHEDULE_DELAY": "50", "OTEL_BLRP_SCHEDULE_DELAY": "50"}
    with receiver() as receiving:
        with running(named(f"gunicorn {workers} --preload", "--no-control-socket"), tmp_path, receiving.endpoint, environment) as served:
            served.wait_until_ready(2)
            assert served.slots == {"0", "1"}
            assert [task.name for task in Path(f"/proc/{served.process.pid}/task").iterdir()] == [str(served.process.pid)]
            workers_of_it = served.children
            served.stop()
        got = Received(receiving)
        assert got.pids() == {str(pid) for pid in workers_of_it}
        assert got.log_lines() > 0
        masters = [line["message"] for line in served.lines if "service.instance.id" not in line]
        assert any("Starting gunicorn" in message or "Shutting down" in message for message in masters)


def test_a_preloading_master_waits_for_no_receiver_when_it_ends(tmp_path):
    """B1: its workers have three seconds, and it has nothing to add."""
    with hanging_receiver() as endpoint, running(named("gunicorn sync --preload"), tmp_path, endpoint) as served:
        served.wait_until_ready(2)
        served.process.send_signal(signal.SIGTERM)
        wait_until(lambda: not served.children, 30, "the workers do not end", every=0.01)
        began = time.monotonic()
        served.process.wait(30)
        assert time.monotonic() - began < 2


def test_the_autoreloaders_parent_is_nobody(tmp_path):
    """A3: it has no slot, sends nothing, and says nothing; its child takes over the slot when it reloads."""
    reloaded = tmp_path / "reloaded.py"
    reloaded.write_text("")
    environment = {"SHOP_IMPORTS": "reloaded", "PYTHONPATH": os.pathsep.join([str(tmp_path), str(Path(__file__).parents[3])])}
    with receiver() as receiving:
        with running(named("runserver with its autoreloader"), tmp_path, receiving.endpoint, environment) as served:
            served.wait_until_ready()
            before = served.worker()
            assert before["pid"] != served.process.pid
            assert before["slot"] == 0

            def has_reloaded() -> bool:
                if served.worker()["pid"] != before["pid"]:
                    return True
                later = reloaded.stat().st_mtime + 5  # again: the reloader may not have seen the file before
                os.utime(reloaded, (later, later))
                return False

            wait_until(has_reloaded, 60, "it does not reload", every=1.5)
            assert served.worker()["slot"] == 0
            assert len(served.start_lines) == 2
            served.stop()
        got = Received(receiving)
        assert got.slots() == served.slots == {"0"}
        assert str(served.process.pid) not in got.pids()
        assert got.spans_by_trace() == dict.fromkeys(served.answered, 1)


@pytest.mark.servers
def test_a_fork_hook_of_the_project_in_uwsgi_costs_nothing_but_a_moment(tmp_path):
    """uWSGI has one place for a hook: one that takes ours away leaves workers that begin with their first request."""
    with receiver() as receiving:
        with running(named("uwsgi prefork"), tmp_path, receiving.endpoint, {"SHOP_FORK_HOOK": "1"}) as served:
            served.wait_until_ready(2)
            assert "the shop has forked" in served.text
            served.stop()
        got = Received(receiving)
        assert got.spans_by_trace() == served.access_lines == dict.fromkeys(served.answered, 1), served.end
        assert got.total("http.server.request.duration") == len({span.span_id for span, _ in got.spans()}) == len(served.answered)
        assert got.slots() == served.slots == {"0", "1"}
