"""django.tasks, of Django 6 and of its backport: a span that enqueues a task, a span for each run, its wait and what became of it.

Ours, because OpenTelemetry has none. By Django's own signals, which every backend sends. A task has no place for the trace that sent it;
the backend that keeps tasks in the database (django-tasks-db) has one in its row, beside the arguments, where a worker without the kit does
not look. A task of another backend begins a trace of its own.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from contextlib import ExitStack
from contextvars import ContextVar
from functools import partial, wraps
from importlib import import_module
from typing import Any

from otelkit.catalog import libraries
from otelkit.catalog.libraries import LibraryFact
from otelkit.catalog.metrics import (
    ERRORS_CAPTURED,
    TASK_ACTIVE,
    TASK_DURATION,
    TASK_QUEUE_DEPTH,
    TASK_QUEUE_OLDEST_AGE,
    TASK_WAIT_DURATION,
    WORKER_UP,
)
from otelkit.importing import when_imported
from otelkit.libraries import task_rows
from otelkit.libraries.base import Library, Recording
from otelkit.libraries.patching import Patches
from otelkit.tasks import carrying
from otelkit.tasks.carrying import Carried
from otelkit.tasks.queues import TaskQueues
from otelkit.tasks.recorder import Sending, TaskRecorder
from otelkit.tasks.state import CURRENT_TASK

logger = logging.getLogger("otelkit.libraries")

_SYSTEM = "django_tasks"
"""``messaging.system``: the conventions allow a name of one's own."""
_KEY = "otelkit"
_ENQUEUING: ContextVar[Sending | None] = ContextVar("otelkit_enqueuing", default=None)


class Following:
    """One of the two packages, followed by this recorder."""

    def __init__(self, recorder: TaskRecorder) -> None:
        self._recorder = recorder

    def enqueue(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """``Task.enqueue`` with a span around it."""

        @wraps(original)
        def followed(task: Any, *args: Any, **kwargs: Any) -> Any:
            with _Enqueuing(self._recorder, task) as enqueuing:
                enqueuing.result = original(task, *args, **kwargs)
            return enqueuing.result

        return followed

    def aenqueue(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """``Task.aenqueue`` with a span around it."""

        @wraps(original)
        async def followed(task: Any, *args: Any, **kwargs: Any) -> Any:
            with _Enqueuing(self._recorder, task) as enqueuing:
                enqueuing.result = await original(task, *args, **kwargs)
            return enqueuing.result

        return followed

    # --- signals of Django's, whose receivers must not raise ----------------------------------------------------------

    def started(self, task_result: Any, **_: Any) -> None:
        """A run begins, in this thread."""
        try:
            task = task_result.task
            carried = None if _ENQUEUING.get() is not None else _carried(task_result)  # enqueued here: the backend runs it at once
            due = task.run_after.timestamp() if task.run_after else None
            self._recorder.begin(
                task.module_path,
                str(task_result.id),
                task.queue_name,
                system=_SYSTEM,
                carried=carried,
                due_at=due,
                retries=_retries(task_result),
            )
        except Exception:
            logger.exception("otelkit could not follow a task; the task is not affected.")

    def finished(self, task_result: Any, **_: Any) -> None:
        """A run is over, in the same thread; while its exception is handled, where it raised one."""
        state = CURRENT_TASK.get()
        if state is None or state.id != str(task_result.id):
            return
        if str(task_result.status) == "FAILED":
            state.outcome = "error"
            error = sys.exc_info()[1]
            if error is not None:
                self._recorder.fail(state, error)
        self._recorder.end(state)


class _Enqueuing:
    """Around the call that enqueues a task."""

    def __init__(self, recorder: TaskRecorder, task: Any) -> None:
        self.result: Any = None
        self._recorder = recorder
        self._around = CURRENT_TASK.get()
        self._sending = recorder.send(task.module_path, _SYSTEM)
        self._queue = task.queue_name

    def __enter__(self) -> _Enqueuing:
        self._token = _ENQUEUING.set(self._sending)
        return self

    def __exit__(self, kind: Any, error: BaseException | None, stack: Any) -> None:
        _ENQUEUING.reset(self._token)
        left = CURRENT_TASK.get()
        if left is not None and left is not self._around:  # KeyboardInterrupt: Django lets it through, and tells of no end
            left.outcome = "error"
            self._recorder.end(left)
        if self._sending is not None:
            self._sending.describe(
                {
                    "queue": self._queue,
                    "messaging.destination.name": self._queue,
                    "messaging.message.id": str(getattr(self.result, "id", "")),
                }
            )
            self._sending.end(error)


def _write(instance: Any, **_: Any) -> None:
    """Puts the trace into a row that is about to be inserted."""
    try:
        if instance._state.adding and _ENQUEUING.get() is not None and isinstance(instance.args_kwargs, dict):
            carried: dict[str, Any] = {}
            carrying.write(carried)
            instance.args_kwargs[_KEY] = carried
    except Exception:
        logger.exception("otelkit could not give a task its trace; the task is not affected.")


def _carried(task_result: Any) -> Carried:
    row = getattr(task_result, "db_result", None)
    kept = getattr(row, "args_kwargs", None)
    headers = kept.get(_KEY) if isinstance(kept, dict) else None
    if isinstance(headers, dict):
        return carrying.read(headers.get)
    enqueued = task_result.enqueued_at
    return Carried(carrying.NOBODY, enqueued.timestamp() if enqueued else None)


def _retries(task_result: Any) -> int:
    return max(int(getattr(task_result, "attempts", 1)) - 1, 0)


def _library(fact: LibraryFact) -> Library:
    patches, undo = Patches(), ExitStack()

    def instrument(recording: Recording) -> None:
        if patches:
            return
        signals, base = import_module(f"{fact.module}.signals"), import_module(f"{fact.module}.base")
        following = Following(recording.tasks)
        patches.replace(base.Task, "enqueue", following.enqueue)
        patches.replace(base.Task, "aenqueue", following.aenqueue)
        for signal, hear in ((signals.task_started, following.started), (signals.task_finished, following.finished)):
            signal.connect(hear, weak=False)
            undo.callback(signal.disconnect, hear)
        undo.callback(when_imported(task_rows.MODELS, partial(_follow_rows, recording.queues, undo)))
        undo.callback(when_imported(task_rows.WORKER, partial(_follow_worker, recording.queues, patches)))

    def uninstrument() -> None:
        undo.close()
        patches.restore()

    return Library(
        fact,
        instrument,
        uninstrument,
        emits=(TASK_DURATION, TASK_WAIT_DURATION, TASK_ACTIVE, TASK_QUEUE_DEPTH, TASK_QUEUE_OLDEST_AGE, WORKER_UP, ERRORS_CAPTURED),
    )


def _follow_rows(queues: TaskQueues, undo: ExitStack) -> None:
    from django.db.models.signals import pre_save

    queues.ask_of(task_rows.KEEPER, task_rows.ask)
    row = sys.modules[task_rows.MODELS].DBTaskResult
    pre_save.connect(_write, sender=row, weak=False, dispatch_uid="otelkit.django_tasks")
    undo.callback(pre_save.disconnect, sender=row, dispatch_uid="otelkit.django_tasks")


def _follow_worker(queues: TaskQueues, patches: Patches) -> None:
    patches.replace(sys.modules[task_rows.WORKER].Worker, "run", task_rows.taking(queues))


LIBRARY = _library(libraries.DJANGO_TASKS)
BACKPORT = _library(libraries.DJANGO_TASKS_BACKPORT)
