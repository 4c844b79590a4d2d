"""The ways in which a process ends, each with a last export.

Interpreter exit, SIGTERM, the exit of multiprocessing's children and of Celery's, and an ASGI server's shutdown. SIGKILL and ``os._exit``
are not.
"""

from __future__ import annotations

import atexit
import os
import signal
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import ExitStack
from multiprocessing import parent_process, util
from types import FrameType
from typing import Any

from otelkit.importing import when_imported
from otelkit.servers import uwsgi

Stop = Callable[[], None]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


def before_the_end(stop: Stop) -> Callable[[], None]:
    """Calls ``stop``, which may be called more than once, however the process ends short of SIGKILL. Gives back the undoing."""
    undo = ExitStack()
    atexit.register(stop)
    undo.callback(atexit.unregister, stop)
    leave_sigterm_alone = _on_sigterm(stop)
    undo.callback(leave_sigterm_alone)
    undo.callback(_in_multiprocessing(stop, leave_sigterm_alone))
    undo.callback(_in_celery(stop))
    undo.callback(_at_asgi_shutdown(stop))
    return undo.close


def _on_sigterm(stop: Stop) -> Callable[[], None]:
    """For SIGTERM where it would end the process at once, as it does in scripts, and in uvicorn after its own clean stop.

    A handler that somebody installed is theirs; what ends the process in an orderly way runs atexit. The children of multiprocessing have
    none of ours: a handler in Python may wait as long as the main thread waits in C, and ``Pool.terminate()`` counts on a quick death.
    """
    in_main = threading.current_thread() is threading.main_thread()
    if uwsgi.is_here():
        return lambda: None  # it handles signals in C, which Python does not know of; its workers run atexit
    if not in_main or parent_process() is not None or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        return lambda: None
    asked: list[int] = []

    def handle(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  (the shape of a signal handler)
        first = not asked
        asked.append(number)
        if not (first and _started(threading.Thread(target=end, name="otelkit-sigterm"))):
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGTERM)

    def end() -> None:
        # Not in the handler: what the signal interrupted may hold a lock that sending needs, and goes on only when the handler returns.
        try:
            stop()
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    signal.signal(signal.SIGTERM, handle)

    def restore() -> None:
        in_main = threading.current_thread() is threading.main_thread()
        if in_main and signal.getsignal(signal.SIGTERM) is handle:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

    return restore


def _started(thread: threading.Thread) -> bool:
    try:
        thread.start()
    except RuntimeError:  # the interpreter is ending, so atexit has run
        return False
    return True


def _in_multiprocessing(stop: Stop, leave_sigterm_alone: Callable[[], None]) -> Callable[[], None]:
    """For the children of multiprocessing and concurrent.futures: they leave by ``os._exit``, past atexit."""
    finalizer = util.Finalize(None, stop, exitpriority=0)

    def begin_child(_: util.Finalize) -> None:
        leave_sigterm_alone()
        util.Finalize(None, stop, exitpriority=0)  # a forked child has just forgotten its parent's finalizers

    util.register_after_fork(finalizer, begin_child)  # the registry holds its first argument weakly: it is ours to keep

    def cancel() -> None:
        finalizer.cancel()

    return cancel


def _in_celery(stop: Stop) -> Callable[[], None]:
    """For the children of Celery's pool: they leave by ``os._exit``, be they recycled, stopped with their worker, or asked by SIGTERM.

    Their SIGTERM is billiard's: it unwinds the child into this very exit, so a handler of ours would only stand in its way.
    """
    undo = ExitStack()

    def end(**_: Any) -> None:
        stop()

    def follow() -> None:
        from celery import signals

        signals.worker_process_shutdown.connect(end, weak=False)
        undo.callback(signals.worker_process_shutdown.disconnect, end)

    undo.callback(when_imported("celery.signals", follow))
    return undo.close


def _at_asgi_shutdown(stop: Stop) -> Callable[[], None]:
    """Speaks ASGI's lifespan protocol, which Django does not, because the server says there that it has answered its last request.

    uvicorn's workers need it: after their clean stop they end themselves by a SIGTERM that no handler sees.
    """
    from django.core.handlers.asgi import ASGIHandler

    original = ASGIHandler.__call__

    async def call(self: ASGIHandler, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send, stop)
        else:
            await original(self, scope, receive, send)

    ASGIHandler.__call__ = call  # type: ignore[method-assign]

    def restore() -> None:
        if ASGIHandler.__call__ is call:
            ASGIHandler.__call__ = original  # type: ignore[method-assign]

    return restore


async def _live(receive: Receive, send: Send, stop: Stop) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    stop()  # on the event loop: there is nothing left for it to do, and the time is bounded
    await send({"type": "lifespan.shutdown.complete"})
