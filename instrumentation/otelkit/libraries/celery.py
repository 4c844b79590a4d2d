"""Celery: a span that sends a task, a span for each attempt, how long it waited and ran, and what became of it.

Ours, because OpenTelemetry's instrumentation names its spans by old conventions, measures seconds in buckets for milliseconds and neither
wait nor outcome, leaves a span open where the broker refuses a task, and loses what a recycled child has (see :mod:`otelkit.ending`).
By Celery's signals, which its pools (prefork, threads, gevent) and its eager mode share; only sending is patched, to see it fail.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from otelkit.catalog import libraries
from otelkit.catalog.metrics import (
    ERRORS_CAPTURED,
    TASK_ACTIVE,
    TASK_DURATION,
    TASK_LAST_SUCCESS_TIME,
    TASK_QUEUE_DEPTH,
    TASK_QUEUE_OLDEST_AGE,
    TASK_WAIT_DURATION,
    WORKER_UP,
)
from otelkit.importing import when_imported
from otelkit.libraries.base import Library, Recording
from otelkit.libraries.celery_tasks import brokers
from otelkit.libraries.celery_tasks.following import Following
from otelkit.libraries.celery_tasks.taking import Taking
from otelkit.libraries.celery_tasks.upstream import MODULE, StandDown
from otelkit.libraries.patching import Patches

_patches = Patches()
_undo = ExitStack()


def instrument(recording: Recording) -> None:
    """Follows every app of this process."""
    from celery import signals
    from celery.app.base import Celery

    if _patches:
        return
    following, taking = Following(recording.tasks), Taking(recording.queues)
    _patches.replace(Celery, "send_task", following.sending)
    heard: list[tuple[object, Callable[..., None]]] = [
        (signals.before_task_publish, following.before_publish),
        (signals.task_prerun, following.prerun),
        (signals.task_failure, following.failed),
        (signals.task_retry, following.retried),
        (signals.task_postrun, following.postrun),
        (signals.worker_process_init, taking.child_begins),
        (signals.worker_ready, taking.worker_begins),
    ]
    recording.queues.ask_of("Celery", brokers.ask)
    for signal, hear in heard:
        signal.connect(hear, weak=False)  # type: ignore[attr-defined]
        _undo.callback(signal.disconnect, hear)  # type: ignore[attr-defined]
    upstream = StandDown()
    _undo.callback(upstream.restore)
    _undo.callback(when_imported(MODULE, upstream.begin))


def uninstrument() -> None:
    """Hears nothing any more, and puts Celery's own method back."""
    _undo.close()
    _patches.restore()


LIBRARY = Library(
    libraries.CELERY,
    instrument,
    uninstrument,
    emits=(
        TASK_DURATION,
        TASK_WAIT_DURATION,
        TASK_ACTIVE,
        TASK_LAST_SUCCESS_TIME,
        TASK_QUEUE_DEPTH,
        TASK_QUEUE_OLDEST_AGE,
        WORKER_UP,
        ERRORS_CAPTURED,
    ),
)
