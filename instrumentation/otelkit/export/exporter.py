"""The one background thread: takes what is queued, encodes it, sends it, and keeps the books.

Nothing here runs on a request's way but :meth:`Exporter.span` and :meth:`Exporter.log`, which append to a bounded queue.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from time import monotonic, time_ns
from typing import Any

from opentelemetry import context
from opentelemetry.sdk.trace import ReadableSpan

from otelkit.catalog.metrics import EXPORT_DURATION, TELEMETRY_CREATED, TELEMETRY_DROPPED, TELEMETRY_EXPORTED, TELEMETRY_QUEUED
from otelkit.config import Config
from otelkit.export.accounting import Account, Accounts, patiently
from otelkit.export.breaker import Breaker, OncePerMinute
from otelkit.export.encoder import encode_metrics
from otelkit.export.queue import Queue
from otelkit.export.records import encode_logs
from otelkit.export.sender import Answer, Sender, Verdict
from otelkit.export.sizes import size_of_record, size_of_span
from otelkit.export.spans import encode_spans
from otelkit.export.user_metrics import count_points, encode_user_metrics
from otelkit.logs.item import LogItem
from otelkit.logs.otlp import silence
from otelkit.metrics import user_instruments
from otelkit.metrics.aggregator import Aggregator
from otelkit.redaction import redact_url
from otelkit.traces.suppression import suppressed

logger = logging.getLogger("otelkit.export")

TRACES, METRICS, LOGS = "traces", "metrics", "logs"

_UNREACHABLE = (
    "Telemetry does not reach %s: %s. The service is not affected; up to %d spans and as many log lines wait, "
    "then the oldest are dropped and counted. Is a collector listening there? `otelkit doctor` looks."
)


@dataclass(slots=True)
class _Flush:
    """Somebody who waits until what is queued now has been sent."""

    ended: Event = field(default_factory=Event)
    succeeded: bool = False


class Exporter:
    """Queues and sends every signal of this process."""

    def __init__(self, config: Config, resource: Mapping[str, Any], aggregator: Aggregator, sender: Sender) -> None:
        self._config = config
        self._export = config.export
        self.resource = resource
        self._aggregator = aggregator
        self._sender = sender
        self._pushes_metrics = "otlp" in config.metrics.exporters
        self.accounts = Accounts()
        self._timeouts = {signal: self._export.receiver(signal).timeout for signal in self.accounts.of}
        self._begin()
        aggregator.observe(TELEMETRY_CREATED, self.accounts.created)
        aggregator.observe(TELEMETRY_EXPORTED, self.accounts.exported)
        aggregator.observe(TELEMETRY_DROPPED, self.accounts.dropped)
        aggregator.observe(TELEMETRY_QUEUED, self.accounts.queued)

    def _begin(self) -> None:
        most, most_bytes = self._export.queue_size, self._export.queue_bytes
        self._spans = Queue(most, most_bytes, size_of_span, self.accounts.of[TRACES])
        self._logs = Queue(most, most_bytes, size_of_record, self.accounts.of[LOGS])
        # One for each signal: they may have receivers of their own, and one that is away must not hold up the others.
        self._breakers = {signal: Breaker() for signal in self.accounts.of}
        self._may_warn = OncePerMinute()
        self._enough = self._export.batch_size
        self._first_use: Callable[[], None] | None = None
        self._make_events()
        self._deadline = 0.0
        self._metrics_due = monotonic() + self._config.metrics.interval
        self._thread: Thread | None = None
        self._is_alone = False
        self._settling = Lock()
        self._abandoned = False
        # The last failure while leaving: what was lost is worth more than why one try failed, and one sentence a minute may be said.
        self._unsaid: tuple[object, ...] = ()

    def _make_events(self) -> None:
        self._wake = Event()
        self._closing = Event()
        self._flushes: deque[_Flush] = deque()

    # --- called by the application ------------------------------------------------------------------------------------

    def span(self, span: ReadableSpan) -> None:
        """Queues an ended span."""
        if self._spans.put(span) >= self._enough:
            self._hurry()

    def log(self, item: LogItem) -> None:
        """Queues a log line."""
        if self._logs.put(item) >= self._enough:
            self._hurry()

    def _hurry(self) -> None:
        if self._first_use is not None:
            self._first_use()
        if not self._wake.is_set():
            self._wake.set()

    def wait(self, first_use: Callable[[], None]) -> None:
        """Until :meth:`start` is called, calls ``first_use`` for each item that is queued."""
        self._enough, self._first_use = 1, first_use

    def start(self) -> None:
        """Starts the thread, once."""
        self._enough, self._first_use = self._export.batch_size, None
        if self._thread is None:
            self._make_events()  # now: gevent may have replaced threading since, and its greenlet must not wait for a thread's event
            self._metrics_due = monotonic() + self._config.metrics.interval
            # A daemon: interpreter exit must not wait for a receiver. shutdown() waits, and for a bounded time.
            thread = Thread(target=self._run, name="otelkit-export", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # the interpreter is ending: shutdown() comes, and sends by itself
                self._is_alone = True
            else:
                self._thread = thread

    def flush(self, timeout: float) -> bool:
        """Sends everything queued so far, and the metrics as they are now; False if that did not succeed within ``timeout`` seconds.

        What others queue meanwhile is no part of it.
        """
        if self._thread is None:
            return True
        flush = _Flush()
        self._flushes.append(flush)
        self._wake.set()
        return flush.ended.wait(timeout) and flush.succeeded

    def shutdown(self, timeout: float | None = None) -> None:
        """Sends what is queued and stops, within ``timeout`` seconds in all; what is left then is counted as dropped."""
        if self._thread is None and not self._is_alone:
            return
        timeout = self._export.shutdown_timeout if timeout is None else timeout
        self._deadline = monotonic() + timeout
        self._closing.set()
        self._wake.set()
        abandoned = False
        if self._thread is None:
            self._run()
        else:
            self._thread.join(timeout)
            abandoned = self._thread.is_alive()
        self._thread, self._is_alone = None, False
        with patiently(self._settling):
            self._abandoned = abandoned
            for queue in (self._spans, self._logs):
                queue.take(len(queue))
            # What waited, and what is in the hands of a thread that is late.
            lost = {signal: account.drop_in_hand("shutdown") for signal, account in self.accounts.of.items()}
        if lost[TRACES] or lost[LOGS]:
            self._warn(
                "The process ends with %d spans and %d log lines unsent: %s did not take them within %g seconds.",
                lost[TRACES],
                lost[LOGS],
                self._address(TRACES if lost[TRACES] else LOGS),
                timeout,
            )
        elif self._unsaid:
            self._warn(*self._unsaid)
        close = getattr(self._sender, "close", None)
        if close and not abandoned:
            close()

    def after_fork_in_child(self) -> None:
        """Is as new in a child process: the parent sends what was recorded before the fork."""
        self.accounts.reset()
        self._begin()
        reset = getattr(self._sender, "reset", None)
        if reset:
            reset()

    # --- the thread ---------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        context.attach(suppressed())  # nothing that sending does may become telemetry: no span ...
        with silence():  # ... and no log line to be sent
            while not self._closing.is_set():
                self._wake.wait(self._pause())
                self._wake.clear()
                self._turn(everything=False)
            self._turn(everything=True)

    def _turn(self, *, everything: bool) -> None:
        flushes = [self._flushes.popleft() for _ in range(len(self._flushes))]
        succeeded = self._cycle_safely(everything=everything or bool(flushes))
        for flush in flushes:
            flush.succeeded = succeeded
            flush.ended.set()

    def _cycle_safely(self, *, everything: bool) -> bool:
        try:
            return self._cycle(everything=everything)
        except Exception:
            # Whatever it was, the thread must live: the application goes on, and so does its telemetry.
            logger.exception("otelkit could not export; it goes on with the next batch.")
            return False

    def _pause(self) -> float:
        due = max(0.0, self._metrics_due - monotonic()) if self._pushes_metrics else self._export.interval
        return max(0.01, min(self._export.interval, due))

    def _cycle(self, *, everything: bool) -> bool:
        """Sends what is queued, and the metrics when they are due; ``everything`` waits for neither a breaker nor the time.

        False where something has to be sent again.
        """
        succeeded = True
        if everything or self._breakers[TRACES].wait() == 0:
            succeeded &= self._drain(TRACES, self._spans, encode_spans)
        if everything or self._breakers[LOGS].wait() == 0:
            succeeded &= self._drain(LOGS, self._logs, encode_logs)
        if self._pushes_metrics and (everything or (monotonic() >= self._metrics_due and self._breakers[METRICS].wait() == 0)):
            self._metrics_due = monotonic() + self._config.metrics.interval
            succeeded &= self._push_metrics()
        return succeeded

    def _drain(self, signal: str, queue: Queue, encode: Callable[[Mapping[str, Any], list[Any]], bytes]) -> bool:
        """Sends what was queued when it began, or as much as the receiver takes; False where it did not take all."""
        waiting = len(queue)
        size = self._export.batch_size
        while waiting > 0:
            batch = queue.take(min(size, waiting))
            if not batch:
                break
            waiting -= len(batch)
            left = self._deliver(signal, batch, encode)
            if left:
                with patiently(self._settling):
                    if not self._abandoned:
                        queue.put_back(left)
                return False
        return True

    def _deliver(self, signal: str, batch: list[Any], encode: Callable[[Mapping[str, Any], list[Any]], bytes]) -> list[Any]:
        """Sends one batch and books it; gives back the items that should be tried again later."""
        account = self.accounts.of[signal]
        try:
            body = encode(self.resource, batch)
        except Exception:
            if len(batch) > 1:  # find the one that cannot be encoded, lose no other
                return self._deliver_halves(signal, batch, encode)
            logger.exception("otelkit dropped one item of %s that cannot be encoded.", signal)
            with patiently(self._settling):
                if not self._abandoned:
                    account.settle(1, unencodable=1)
            return []
        answer = self._send(signal, body)
        if answer.verdict is Verdict.TOO_LARGE and len(batch) > 1:
            return self._deliver_halves(signal, batch, encode)
        return [] if self._book(account, signal, len(batch), answer) else batch

    def _deliver_halves(self, signal: str, batch: list[Any], encode: Callable[[Mapping[str, Any], list[Any]], bytes]) -> list[Any]:
        middle = len(batch) // 2
        left = self._deliver(signal, batch[:middle], encode)
        return [*left, *batch[middle:]] if left else self._deliver(signal, batch[middle:], encode)

    def _push_metrics(self) -> bool:
        snapshots = self._aggregator.collect(forget_exemplars=True)
        scopes = user_instruments.read(pushed=True)
        points, users_points = sum(snapshot.points for snapshot in snapshots), count_points(scopes)
        account = self.accounts.of[METRICS]
        with patiently(self._settling):
            if self._abandoned:  # nobody counts any more
                return False
            account.create_in_hand(points + users_points)
        try:
            body = encode_metrics(self.resource, snapshots, self._aggregator.start_time_ns, time_ns())
        except Exception:
            with patiently(self._settling):
                if not self._abandoned:
                    account.settle(points + users_points, unencodable=points + users_points)
            raise  # said by _cycle_safely
        try:
            body += encode_user_metrics(self.resource, scopes)  # protobuf: two requests behind one another are one
            points += users_points
        except Exception:  # whatever is wrong there costs only itself
            logger.exception("otelkit dropped %d metric points recorded through OpenTelemetry that cannot be encoded.", users_points)
            with patiently(self._settling):
                if not self._abandoned:
                    account.settle(users_points, unencodable=users_points)
        return self._book(account, METRICS, points, self._send(METRICS, body))

    def _send(self, signal: str, body: bytes) -> Answer:
        timeout = self._timeouts[signal]
        if self._closing.is_set():
            timeout = min(timeout, max(0.05, self._deadline - monotonic()))
        started = monotonic()
        try:
            answer = self._sender.send(signal, body, timeout)
        except Exception as failure:  # noqa: BLE001  (senders do not raise; one that does must not lose what it was given)
            answer = Answer(Verdict.RETRY, f"sending failed ({type(failure).__name__}: {failure})")
        error = None if answer.verdict is Verdict.DELIVERED else answer.verdict.value
        self._aggregator.histogram(EXPORT_DURATION).record(monotonic() - started, (signal, error))
        return answer

    def _address(self, signal: str) -> str:
        return redact_url(self._export.address(signal))

    def _book(self, account: Account, signal: str, items: int, answer: Answer) -> bool:
        """Enters what became of the items, and says it where it is bad news; False if they should be tried again."""
        refused = max(0, min(answer.rejected_items, items))
        with patiently(self._settling):
            if self._abandoned:  # shutdown() gave up waiting and has booked these items as lost
                return True
            if answer.verdict is Verdict.DELIVERED:
                account.settle(items, exported=items - refused, rejected=refused)
            elif answer.verdict is Verdict.TOO_LARGE:
                account.settle(items, too_large=items)
            elif answer.verdict is Verdict.REJECTED:
                account.settle(items, rejected=items)
            elif signal == METRICS:
                account.settle(items, unreachable=items)  # cumulative: the next export says it again, so these need no second try
        if answer.verdict is Verdict.RETRY:
            self._breakers[signal].failed(answer.retry_after)
            failure = (_UNREACHABLE, self._address(signal), answer.detail, self._export.queue_size)
            if self._closing.is_set():
                self._unsaid = failure
            else:
                self._warn(*failure)
            return False
        if self._breakers[signal].succeeded():
            logger.info("Telemetry (%s) reaches %s again.", signal, self._address(signal))
        if answer.verdict is not Verdict.DELIVERED:
            self._warn("%s refused %d items of %s: %s.", self._address(signal), items, signal, answer.detail)
        elif refused:
            why = answer.detail or "it does not say why"
            self._warn("%s refused %d of %d items of %s: %s.", self._address(signal), refused, items, signal, why)
        return True

    def _warn(self, message: object, *arguments: object) -> None:
        if self._may_warn():
            logger.warning(message, *arguments)
