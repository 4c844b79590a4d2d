"""Under gevent, whenever it replaced the standard library's threads and sockets: nothing stands still, and nothing is mixed up."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.instrumentation.test_export import spans_in
from tests.receivers import receiver

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(find_spec("gevent") is None, reason="gevent is not installed; `make servers` installs it"),
]

SCRIPT = """
import os, sys
endpoint, patched = sys.argv[1:]

def patch(when):
    if patched == when:
        from gevent import monkey
        monkey.patch_all()

patch("before our import")
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
import django
django.setup()
from otelkit import startup
from otelkit.config import load
patch("after our import")
runtime = startup.start(load({"logs": {"exporters": []}, "export": {"endpoint": endpoint, "interval": 0.05}}, {}))
patch("after the start")
if patched == "while it runs":
    runtime.presence.begin()
patch("while it runs")

import gevent, gevent.threadpool
from gevent.monkey import get_original
from opentelemetry import trace

native_id = get_original("_thread", "get_native_id")
main, sending = native_id(), set()
send = runtime.exporter._sender.send

def seen_sending(*arguments):
    sending.add(native_id())
    return send(*arguments)

runtime.exporter._sender.send = seen_sending
mixed = []

def work(number):
    with trace.get_tracer("tests").start_as_current_span(f"greenlet {number}") as span:
        for _ in range(5):
            gevent.sleep(0.001)
            if trace.get_current_span() is not span:
                mixed.append(number)

gevent.joinall([gevent.spawn(work, number) for number in range(100)], raise_error=True)
account = runtime.exporter.accounts.of["traces"]
with gevent.Timeout(30):
    while account.exported < 100:
        gevent.sleep(0.01)  # only now may a greenlet that sends have its turn
assert not mixed
assert (sending == {main}) == (patched != "while it runs"), (sending, main)
work(100)
"""


@pytest.mark.parametrize("patched", ["before our import", "after our import", "after the start", "while it runs"])
def test_what_greenlets_record_is_sent(patched):
    """B7: by a greenlet; by the thread that was there already, where gevent came later. The last span leaves at the end."""
    with receiver() as running:
        command = [sys.executable, "-c", SCRIPT, running.endpoint, patched]
        done = subprocess.run(command, cwd=Path(__file__).parents[3], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        spans = [span for span, _ in spans_in(running.requests)]
        assert sorted(span.name for span in spans) == sorted(f"greenlet {number}" for number in range(101))
        assert len({span.trace_id for span in spans}) == 101
