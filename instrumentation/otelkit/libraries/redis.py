"""redis: duration and a client span of each command, pipeline and transaction, sync and async, of one server or a cluster.

Ours, because upstream's has no metric, names old conventions, and writes the statement with its placeholders, which says nothing that the
command's name does not. Keys and values are not looked at. A command outside of any trace is measured, but starts no trace of its own;
those by which kombu polls for messages are not even measured.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable
from functools import lru_cache, partial, wraps
from inspect import iscoroutinefunction
from time import perf_counter, time_ns
from typing import Any

from opentelemetry import context, trace
from opentelemetry.trace import SpanKind

from otelkit.catalog import libraries
from otelkit.catalog.metrics import DB_CLIENT_OPERATION_DURATION
from otelkit.libraries.base import Library, Recording
from otelkit.libraries.django_cache import is_within_a_cache
from otelkit.libraries.patching import Patches
from otelkit.libraries.steps import mark
from otelkit.request.state import CURRENT
from otelkit.traces.foreign import UPSTREAM, scope_of
from otelkit.traces.suppression import is_suppressed, suppressed

logger = logging.getLogger("otelkit.libraries")

_UPSTREAM = f"{UPSTREAM}redis"
_TRANSPORT = "kombu.transport.redis"
_COMMAND = re.compile(r"[A-Z][A-Z0-9._-]*(?: [A-Z][A-Z0-9._-]*)?")
_LONGEST_COMMAND = 32
_OTHER = "_OTHER"

_patches = Patches()


def instrument(recording: Recording) -> None:
    """Follows every client of the process."""
    import redis
    from redis import asyncio, client, cluster
    from redis.asyncio import client as async_client
    from redis.asyncio import cluster as async_cluster

    if _patches:
        return
    recorder = _Recorder(recording)
    for single in (redis.Redis, asyncio.Redis, cluster.RedisCluster, async_cluster.RedisCluster):
        _patches.replace(single, "execute_command", partial(_follow, recorder, _of_command))
    for immediate in (client.Pipeline, async_client.Pipeline):
        _patches.replace(immediate, "immediate_execute_command", partial(_follow, recorder, _of_command))
    for pipeline in (client.Pipeline, async_client.Pipeline, cluster.ClusterPipeline, async_cluster.ClusterPipeline):
        _patches.replace(pipeline, "execute", partial(_follow, recorder, _of_pipeline))


Operation = tuple[str, int]
"""Name, and how many commands it sends; 0 where it sends nothing."""


def _of_command(_: Any, args: tuple[Any, ...]) -> Operation:
    return _command(args), 1


def _of_pipeline(pipeline: Any, _: tuple[Any, ...]) -> Operation:
    """Source: OpenTelemetry semantic conventions, Redis: ``PIPELINE``, ``MULTI`` for a transaction, with the command where it is one."""
    stack = getattr(pipeline, "command_stack", ())  # empty in a cluster, whose pipelines hold their commands deeper
    is_transaction = getattr(pipeline, "explicit_transaction", False) or getattr(
        pipeline, "is_transaction", getattr(pipeline, "transaction", False)
    )
    kind = "MULTI" if is_transaction is True else "PIPELINE"
    names = {_command(command[0]) for command in stack}
    return f"{kind} {names.pop()}" if len(names) == 1 else kind, len(stack) or len(pipeline)


def _command(args: Any) -> str:
    name = args[0] if args else ""
    return _known(name) if isinstance(name, str | bytes) else _OTHER


@lru_cache(maxsize=512)
def _known(name: str | bytes) -> str:
    """The command in capitals; ``_OTHER`` for what is none, so that a mistake makes no series."""
    text = (name.decode("ascii", "replace") if isinstance(name, bytes) else name)[: _LONGEST_COMMAND + 1].upper()
    return text if len(text) <= _LONGEST_COMMAND and _COMMAND.fullmatch(text) else _OTHER


class _Recorder:
    """Records a command behind it."""

    def __init__(self, recording: Recording) -> None:
        self._tracer = recording.tracer
        self._duration = recording.aggregator.histogram(DB_CLIENT_OPERATION_DURATION)

    def record(self, client: Any, operation: Operation, began: int, elapsed: float, error: BaseException | None) -> None:
        """A failure of ours is logged, and goes no further."""
        try:
            self._record(client, operation, began, elapsed, error)
        except Exception:
            logger.exception("otelkit could not record a command of Redis; the command is not affected.")

    def _record(self, client: Any, operation: Operation, began: int, elapsed: float, error: BaseException | None) -> None:
        parent = trace.get_current_span()
        if not parent.get_span_context().is_valid and _is_by_kombu():
            return  # a worker that polls: with it a process that hands tasks to its children would begin
        name, commands = operation
        host, port, database = _server_of(client)
        error_type = None if error is None else type(error).__qualname__
        self._duration.record(elapsed, ("redis", database, name, None, error_type), parent.get_span_context())
        state = CURRENT.get()
        if state is not None and not is_within_a_cache():  # whose time it is, then
            state.outbound_time += elapsed
        if not parent.is_recording() or scope_of(parent) == _UPSTREAM:
            return
        attributes: dict[str, Any] = {"db.system.name": "redis", "db.operation.name": name}
        if database is not None:
            attributes["db.namespace"] = database
        if host:
            attributes["server.address"] = host
            if port is not None:
                attributes["server.port"] = port
        if commands > 1:
            attributes["db.operation.batch.size"] = commands
        span = self._tracer.start_span(name, kind=SpanKind.CLIENT, attributes=attributes, start_time=began)
        mark(span, error)
        span.end(began + int(elapsed * 1e9))


def _server_of(client: Any) -> tuple[str | None, int | None, str | None]:
    """Host or socket, port and number of the database; of a cluster nothing, because which of its servers answers is not known here."""
    options = getattr(getattr(client, "connection_pool", None), "connection_kwargs", None)
    if not isinstance(options, dict):
        return None, None, None
    host, port = options.get("host"), options.get("port")
    if "path" in options:
        host, port = options["path"], None
    return str(host) if host else None, port if isinstance(port, int) else None, str(options.get("db") or 0)


def _is_by_kombu() -> bool:
    """Whether it is kombu's transport that calls redis."""
    if _TRANSPORT not in sys.modules:
        return False
    frame = sys._getframe(1)
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if not module.startswith(("redis.", "otelkit.libraries.")):
            return module == _TRANSPORT
        frame = frame.f_back  # type: ignore[assignment]  # the outermost has none
    return False


def _follow(recorder: _Recorder, describe: Callable[[Any, tuple[Any, ...]], Operation], send: Callable[..., Any]) -> Callable[..., Any]:
    if iscoroutinefunction(send):

        @wraps(send)
        async def followed_async(self: Any, *args: Any, **kwargs: Any) -> Any:
            operation = _described(describe, self, args)
            if operation is None:
                return await send(self, *args, **kwargs)
            began, started = time_ns(), perf_counter()
            token = _silence_upstream()
            error: BaseException | None = None
            try:
                return await send(self, *args, **kwargs)
            except BaseException as raised:
                error = raised
                raise
            finally:
                if token is not None:
                    context.detach(token)
                recorder.record(self, operation, began, perf_counter() - started, error)

        return followed_async

    @wraps(send)
    def followed(self: Any, *args: Any, **kwargs: Any) -> Any:
        operation = _described(describe, self, args)
        if operation is None:
            return send(self, *args, **kwargs)
        began, started = time_ns(), perf_counter()
        token = _silence_upstream()
        error: BaseException | None = None
        try:
            return send(self, *args, **kwargs)
        except BaseException as raised:
            error = raised
            raise
        finally:
            if token is not None:
                context.detach(token)
            recorder.record(self, operation, began, perf_counter() - started, error)

    return followed


def _described(describe: Callable[[Any, tuple[Any, ...]], Operation], client: Any, args: tuple[Any, ...]) -> Operation | None:
    """None where nothing is to be recorded."""
    try:
        if is_suppressed():
            return None
        operation = describe(client, args)
        return operation if operation[1] else None
    except Exception:
        logger.exception("otelkit could not follow a command of Redis; the command is not affected.")
        return None


def _silence_upstream() -> Any:
    """Below our span OpenTelemetry's own instrumentation makes none for the same command."""
    return context.attach(suppressed()) if _UPSTREAM in sys.modules else None


def uninstrument() -> None:
    """Puts redis' own methods back."""
    _patches.restore()


LIBRARY = Library(libraries.REDIS, instrument, uninstrument, emits=(DB_CLIENT_OPERATION_DURATION,))
