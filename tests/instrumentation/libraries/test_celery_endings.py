"""However a child of Celery's pool ends short of SIGKILL, what it recorded is sent first; its worker tells of those that were killed."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.instrumentation.libraries.celery_shop.app import sender
from tests.instrumentation.libraries.workers import received, worker
from tests.receivers import receiver

pytestmark = [
    pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="the test finds the pool's processes in /proc"),
    # After a child was ended billiard's pool now and then gives its successor nothing to do, with the kit and without.
    pytest.mark.soak,
]


def test_a_child_that_is_ended_sends_what_it_has_and_one_that_is_killed_is_counted(tmp_path):
    """A20, B3: SIGTERM as by systemd, which asks every process of a service to end, and SIGKILL as by the kernel, when memory is short."""
    app = sender(tmp_path)
    with receiver() as receiving, worker(tmp_path, receiving.endpoint, "-c", "1") as running:
        (child,) = running.children
        for number in (1, 2):  # what they leave waits a minute, or for the end
            app.send_task("orders.ship")
            running.wait_until(lambda number=number: running.text.count("succeeded") == number, "a task does not run")
        os.kill(child, signal.SIGTERM)
        running.wait_until(lambda: running.children - {child}, "no new child came")
        assert [span["name"] for span in received(receiving).spans].count("pack") == 2
        app.send_task("orders.ship")
        running.wait_until(lambda: running.text.count("succeeded") == 3, "the third task does not run")
        app.send_task("orders.die")
        running.wait_until(lambda: "WorkerLostError" in running.text, "the worker does not see that its child was killed")
        assert running.stop() == 0, running.text
        found = received(receiving)
        # The third may have left before its process was killed; what is bounded is the loss.
        assert [span["name"] for span in found.spans].count("pack") in (2, 3)
        (lost,) = found.metrics["errors.captured"]
        assert lost["attributes"] == {"exception.type": "billiard.exceptions.WorkerLostError", "handled": False, "task.name": "orders.die"}
