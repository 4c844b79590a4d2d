"""Celery's beat as a process of its own: what it sends are traces of their own, and each schedule says when it last went well."""

from __future__ import annotations

from pathlib import Path
from time import time

import pytest

from otelkit.testing import capture
from tests.instrumentation.libraries.celery_shop.app import sender
from tests.instrumentation.libraries.workers import beat, received, worker
from tests.receivers import receiver


def test_schedules_are_traces_of_their_own_and_say_when_they_last_went_well(tmp_path: Path):
    """A20, B3: beat, a worker, and somebody who sends a task by hand."""
    began = time()
    # kombu's own broker in a folder shows the worker messages that beat is still writing; ours does not.
    whole = {"SHOP_TRANSPORT": "otelkit.patterns.events.filesystem:Transport"}
    schedule = {"SHOP_SCHEDULE": "orders.ship orders.fail", **whole}
    with (
        receiver() as of_worker,
        receiver() as of_beat,
        capture(),
        worker(tmp_path, of_worker.endpoint, "-c", "1", environment=whole) as working,
        beat(tmp_path, of_beat.endpoint, environment=schedule) as beating,
    ):
        sender(tmp_path).send_task("orders.count")
        working.wait_until(lambda: working.text.count("orders.ship[") >= 4 and "orders.count[" in working.text, "beat sends nothing")
        assert beating.stop() == 0, beating.text
        sent_by_beat = beating.text.count("Sending due task")
        working.wait_until(lambda: ended(working.text) >= sent_by_beat + 1, "not every task has run")
        assert working.stop() == 0, working.text

    sent, ran = received(of_beat), received(of_worker)
    sends = {span["span_id"]: span for span in sent.spans}
    assert {span["name"] for span in sends.values()} == {"send orders.ship", "send orders.fail"}
    assert all(span["parent_span_id"] is None for span in sends.values())
    assert len({span["trace_id"] for span in sends.values()}) == len(sends) == sent_by_beat, "each run of a schedule is a trace of its own"
    runs = [span for span in ran.spans if span["name"] in ("process orders.ship", "process orders.fail")]
    assert {span["parent_span_id"]: span["trace_id"] for span in runs} == {span_id: span["trace_id"] for span_id, span in sends.items()}

    (went_well,) = ran.metrics["task.last_success.time"][-1:]
    assert {point["attributes"]["task.name"] for point in ran.metrics["task.last_success.time"]} == {"orders.ship"}
    newest = max(span["end_ns"] for span in runs if span["name"] == "process orders.ship") / 1e9
    assert began < went_well["value"] == pytest.approx(newest, abs=1)
    for task, outcome in (("orders.ship", "ok"), ("orders.fail", "error")):
        sent_of_it = [span for span in sends.values() if span["name"] == f"send {task}"]
        assert ran.point("task.duration", task_name=task, outcome=outcome)["count"] == len(sent_of_it)
        assert ran.point("task.wait.duration", task_name=task)["count"] == len(sent_of_it)
    assert "worker.up" not in sent.metrics, "who sends takes nothing"
    lines = [line for line in beating.lines if line["message"].startswith("Scheduler: Sending due task")]
    assert len(lines) == sent_by_beat


def ended(text: str) -> int:
    """Tasks that have run, by what the worker wrote."""
    return text.count("succeeded in") + text.count("raised unexpected")
