"""B2: ``created == exported + dropped + queued``, each of the four counted by somebody else.

Created is what the test made, exported what the receiver took, dropped what the books say, and queued what lies in the queue and in the
export thread's hands. A batch that is entered twice, or not at all, breaks the sum.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)

from otelkit import startup
from otelkit.catalog.metrics import TELEMETRY_CREATED, TELEMETRY_DROPPED, TELEMETRY_EXPORTED, TELEMETRY_QUEUED
from otelkit.config import load
from otelkit.export.sender import Answer, Verdict
from tests.backends import wait_until

THREADS = 4


class Judge:
    """A receiver that answers as it is told, and counts what it really took. Decoding is the test's own."""

    def __init__(self, decide: Callable[[str, int], Answer]) -> None:
        self._decide = decide
        self.taken: Counter[str] = Counter()
        self.asked = 0

    def send(self, signal: str, body: bytes, timeout: float) -> Answer:
        items = _items(signal, body)
        self.asked += 1
        answer = self._decide(signal, items)
        if answer.verdict is Verdict.DELIVERED:
            self.taken[signal] += items - answer.rejected_items
        return answer


def _items(signal: str, body: bytes) -> int:
    if signal == "traces":
        spans = ExportTraceServiceRequest.FromString(body)
        return sum(len(scope.spans) for resource in spans.resource_spans for scope in resource.scope_spans)
    lines = ExportLogsServiceRequest.FromString(body)
    return sum(len(scope.log_records) for resource in lines.resource_logs for scope in resource.scope_logs)


def moody(seed: int) -> Callable[[str, int], Answer]:
    """Every fault of B1 in turn, by chance but the same in each run. It asks for no long wait, so that much happens in a short test."""
    chance = random.Random(seed)

    def decide(signal: str, items: int) -> Answer:
        fault = chance.choice(["fine", "fine", "busy", "partial", "refused", "large", "raises"])
        if fault == "busy":
            return Answer(Verdict.RETRY, "it answered 503", retry_after=0.0)
        if fault == "partial":
            return Answer(Verdict.DELIVERED, "too old", rejected_items=chance.randint(1, items))
        if fault == "refused":
            return Answer(Verdict.REJECTED, "it answered 400")
        if fault == "large":
            return Answer(Verdict.TOO_LARGE, "it answered 413")
        if fault == "raises":
            raise RuntimeError("a sender that breaks its word")
        return Answer(Verdict.DELIVERED)

    return decide


@pytest.fixture
def begin() -> Iterator[Callable[..., startup.Runtime]]:
    def start(sender: object, **export: object) -> startup.Runtime:
        settings = {
            "metrics": {"exporters": []},
            "logs": {"exporters": ["otlp"]},
            "export": {"batch_size": 20, "queue_size": 100, "interval": 0.05, "shutdown_timeout": 2.0, **export},
        }
        runtime = startup.start(load(settings, {}), sender=sender)  # type: ignore[arg-type]
        assert runtime is not None
        return runtime

    yield start
    startup.stop()


def told(runtime: startup.Runtime) -> dict[str, dict[str, float]]:
    """What the metrics say of each signal, in one collection, as a scrape would see it."""
    names = {TELEMETRY_CREATED: "created", TELEMETRY_EXPORTED: "exported", TELEMETRY_DROPPED: "dropped", TELEMETRY_QUEUED: "queued"}
    found: dict[str, dict[str, float]] = {}
    for snapshot in runtime.aggregator.collect():
        for point in snapshot.numbers if snapshot.metric in names else ():
            counts = found.setdefault(str(point.labels[0]), Counter())
            counts[names[snapshot.metric]] += point.value
    return found


def produce(runtime: startup.Runtime, each: int) -> int:
    """Ends spans from several threads at once; gives their number."""

    def work() -> None:
        for number in range(each):
            runtime.tracer.start_span(f"work {number}").end()

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return THREADS * each


@pytest.mark.parametrize("seed", range(5))
def test_under_load_and_faults_the_books_balance_at_every_moment_and_agree_with_both_ends(begin, seed: int):
    """B2, B4: while spans are made, sent, refused, halved, tried again and given up, every scrape adds up; and so does the end."""
    judge = Judge(moody(seed))
    runtime = begin(judge)
    stop, seen = threading.Event(), []

    def scrape() -> None:
        while not stop.is_set():
            seen.append(told(runtime)["traces"])

    scraper = threading.Thread(target=scrape)
    scraper.start()
    try:
        made = produce(runtime, 250)
        while len(seen) < 20:
            made += produce(runtime, 250)
    finally:
        stop.set()
        scraper.join()
    for counts in seen:
        assert counts["created"] == counts["exported"] + counts["dropped"] + counts["queued"], counts
        assert 0 <= counts["queued"] <= 100 + 20, counts
    startup.stop()
    after = told(runtime)["traces"]
    assert after["created"] == made
    assert after["exported"] == judge.taken["traces"]
    assert after["queued"] == 0
    assert after["dropped"] == made - judge.taken["traces"] > 0


def test_what_is_being_sent_is_queued_until_its_fate_is_known(begin):
    """A batch on its way is in no queue; a receiver that hangs must not make it vanish from the books."""
    arrived, let_go = threading.Event(), threading.Event()

    def decide(signal: str, items: int) -> Answer:
        arrived.set()
        let_go.wait(30)
        return Answer(Verdict.DELIVERED)

    judge = Judge(decide)
    runtime = begin(judge, interval=60.0)
    try:
        for _ in range(20):
            runtime.tracer.start_span("work").end()
        assert arrived.wait(10)
        runtime.tracer.start_span("one more").end()
        assert len(runtime.exporter._spans) == 1
        assert told(runtime)["traces"] == {"created": 21, "exported": 0, "dropped": 0, "queued": 21}
    finally:
        let_go.set()
    assert runtime.exporter.flush(10)
    assert told(runtime)["traces"] == {"created": 21, "exported": 21, "dropped": 0, "queued": 0}


def test_what_a_late_thread_holds_at_the_end_is_lost_and_counted_once(begin):
    """B1, B2: the process leaves while a batch hangs; what its thread does later is in nobody's books."""
    arrived, let_go = threading.Event(), threading.Event()

    def decide(signal: str, items: int) -> Answer:
        arrived.set()
        let_go.wait(30)
        return Answer(Verdict.DELIVERED)

    runtime = begin(Judge(decide), interval=60.0, shutdown_timeout=0.2)
    try:
        for _ in range(25):
            runtime.tracer.start_span("work").end()
        assert arrived.wait(10)
        thread = runtime.exporter._thread
        startup.stop()
        lost = {"created": 25, "exported": 0, "dropped": 25, "queued": 0}
        assert told(runtime)["traces"] == lost
    finally:
        let_go.set()
    assert thread is not None
    thread.join(10)
    assert told(runtime)["traces"] == lost


def test_a_sender_that_raises_loses_nothing(begin, caplog: pytest.LogCaptureFixture):
    """B6: it is a failure like others: one warning, and another try."""
    answers = iter([RuntimeError("no"), RuntimeError("no"), Answer(Verdict.DELIVERED)])

    def decide(signal: str, items: int) -> Answer:
        answer = next(answers)
        if isinstance(answer, RuntimeError):
            raise answer
        return answer

    judge = Judge(decide)
    runtime = begin(judge)
    runtime.tracer.start_span("work").end()
    wait_until(lambda: runtime.exporter.flush(1) and judge.asked == 3, 20, "it did not try again")
    assert told(runtime)["traces"] == {"created": 1, "exported": 1, "dropped": 0, "queued": 0}
    assert [record.getMessage() for record in caplog.records if "RuntimeError: no" in record.getMessage()]
