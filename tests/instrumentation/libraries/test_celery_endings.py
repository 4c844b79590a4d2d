"""However a child of Celery's pool ends short of SIGKILL, what it recorded is sent first."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.backends import wait_until
from tests.instrumentation.libraries.celery_shop.app import app, configuration
from tests.instrumentation.libraries.workers import received, worker
from tests.receivers import receiver

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="the test finds the pool's processes in /proc")


def test_a_child_that_gets_a_sigterm_sends_what_it_has_and_its_worker_goes_on(tmp_path):
    """A20, B3: as with systemd, which asks every process of the service to end, or with ``revoke(terminate=True)``."""
    app.conf.update(configuration(tmp_path))
    with receiver() as receiving, worker(tmp_path, receiving.endpoint, "-c", "1") as running:
        (child,) = running.children
        for number in (1, 2):  # the first span leaves at once, because with it the child begins; the second waits a minute, or for the end
            app.send_task("orders.ship")
            wait_until(lambda number=number: running.text.count("succeeded") == number, 30, "a task does not run")
        os.kill(child, signal.SIGTERM)
        wait_until(lambda: running.children - {child}, 30, "no new child came")
        assert [span["name"] for span in received(receiving).spans].count("pack") == 2
        app.send_task("orders.ship")
        wait_until(lambda: running.text.count("succeeded") == 3, 30, "the third task does not run")
        assert running.stop() == 0, running.text
        assert [span["name"] for span in received(receiving).spans].count("pack") == 3
