"""Listens to Celery's signals, and tells the recorder of tasks."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from opentelemetry import context
from opentelemetry.context import Context

from otelkit.libraries.celery_tasks.places import Queues, Systems
from otelkit.tasks import carrying
from otelkit.tasks.carrying import Carried
from otelkit.tasks.recorder import Sending, TaskRecorder
from otelkit.tasks.state import CURRENT_TASK, TaskState

_SENDING: ContextVar[Sending | None] = ContextVar("otelkit_celery_sending", default=None)
_BESIDE: ContextVar[list[object] | None] = ContextVar("otelkit_celery_beside", default=None)
_HELPERS = frozenset({"celery.chord_unlock"})
"""Tasks by which Celery polls, once a second: they pass the trace on and make no span."""
_SCHEDULED = ("celery_beat_task", "periodic_task_name")
"""Headers of messages that come by a schedule: of Celery's beat, and of django-celery-beat's."""


class Following:
    """Celery, followed by this recorder."""

    def __init__(self, recorder: TaskRecorder) -> None:
        self._recorder = recorder
        self._queues = Queues()
        self._systems = Systems()

    def sending(self, send_task: Callable[..., Any]) -> Callable[..., Any]:
        """Celery's ``send_task``, which every way of sending a task passes, with a span around it."""

        @wraps(send_task)
        def followed(app: Any, name: Any, *args: Any, **kwargs: Any) -> Any:
            sending = None if name in _HELPERS else self._recorder.send(str(name), self._systems.of(app))
            if sending is None:
                return send_task(app, name, *args, **kwargs)
            token = _SENDING.set(sending)
            try:
                result = send_task(app, name, *args, **kwargs)
            except BaseException as error:
                sending.end(error)
                raise
            else:
                sending.end()
                return result
            finally:
                _SENDING.reset(token)

        return followed

    # --- signals: an exception in one of them is logged by Celery, and goes no further ---------------------------------

    def before_publish(self, headers: Any = None, routing_key: Any = None, declare: Any = None, exchange: Any = None, **_: Any) -> None:
        """The message is complete, and about to leave."""
        if isinstance(headers, dict):
            carrying.write(headers)
            sending = _SENDING.get()
            if sending is not None:
                queue = str(getattr(declare[0], "name", "") if declare else routing_key or exchange or "")
                found = {"queue": queue, "messaging.destination.name": queue, "messaging.message.id": str(headers.get("id") or "")}
                sending.describe({name: value for name, value in found.items() if value})

    def prerun(self, task_id: Any = None, task: Any = None, **_: Any) -> None:
        """An attempt begins, in this thread."""
        request = task.request
        if task.name in _HELPERS:
            _go_beside(_carried(request).context)
            return
        carried = None if request.is_eager else _carried(request)
        self._recorder.begin(
            task.name,
            str(task_id),
            self._queues.of(task.app, request.delivery_info),
            system=self._systems.of(task.app),
            carried=carried,
            due_at=_unix(request.eta),
            retries=request.retries or 0,
            is_scheduled=any(getattr(request, name, None) for name in _SCHEDULED),
        )

    def failed(self, sender: Any = None, task_id: Any = None, exception: Any = None, **_: Any) -> None:
        """An attempt failed; or, in the worker's main process, its child is gone: past its time limit, or killed."""
        from celery.exceptions import TaskPredicate

        if not isinstance(exception, BaseException) or isinstance(exception, TaskPredicate):
            return  # the latter is what a task raises to be retried, rejected or ignored
        state = _state(task_id)
        if state is None:
            self._recorder.count(exception, sender.name)
        else:
            self._recorder.fail(state, exception, is_expected=isinstance(exception, sender.throws or ()))

    def retried(self, request: Any = None, reason: Any = None, **_: Any) -> None:
        """An attempt failed, and the task has been sent again."""
        state = _state(getattr(request, "id", None))
        if state is None:
            return
        cause = getattr(reason, "exc", None)
        if isinstance(cause, BaseException):
            self._recorder.fail(state, cause, outcome="retry", is_expected=True)
        state.outcome = "retry"

    def postrun(self, task_id: Any = None, task: Any = None, state: Any = None, **_: Any) -> None:
        """An attempt is over, whatever became of it."""
        if task.name in _HELPERS:
            _come_back()
            return
        found = _state(task_id)
        if found is not None:
            found.outcome = _OUTCOMES.get(str(state), "error")
            self._recorder.end(found)


_OUTCOMES = {"SUCCESS": "ok", "FAILURE": "error", "RETRY": "retry", "REJECTED": "reject", "IGNORED": "ignored"}
"""Celery's state at the end of an attempt; it has none where SystemExit or the like went through it."""


def _state(task_id: Any) -> TaskState | None:
    state = CURRENT_TASK.get()
    return state if state is not None and state.id == str(task_id) else None


def _carried(request: Any) -> Carried:
    return carrying.read(lambda name: getattr(request, name, None))


def _go_beside(outer: Context) -> None:
    """Makes the trace that a helper carries current, without a span."""
    before = _BESIDE.get() or []
    _BESIDE.set([*before, context.attach(outer)])


def _come_back() -> None:
    tokens = _BESIDE.get()
    if tokens:
        _BESIDE.set(tokens[:-1])
        context.detach(tokens[-1])  # type: ignore[arg-type]


def _unix(eta: object) -> float | None:
    """A message's ``eta`` as Unix seconds."""
    try:
        found = eta if isinstance(eta, datetime) else datetime.fromisoformat(str(eta))
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
