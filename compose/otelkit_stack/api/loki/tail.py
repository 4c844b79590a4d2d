"""``/loki/api/v1/tail``: lines as they arrive, over a websocket."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocket, WebSocketDisconnect

from otelkit_stack.api.loki.streams import in_streams
from otelkit_stack.api.parameters import BadParameterError, integer_parameter
from otelkit_stack.database import explain, open_reader
from otelkit_stack.errors import StackError
from otelkit_stack.logql.errors import LogQLError
from otelkit_stack.logql.line import Line
from otelkit_stack.logql.parsing import parse
from otelkit_stack.logql.reading import Lines
from otelkit_stack.logql.syntax import LogQuery

_LOOK_EVERY_S = 0.25
"""What was acknowledged is in the database about as soon."""
_MOST_AT_ONCE = 1000
_BAD_QUERY, _FAILED = 1008, 1011


def tail_endpoint(file: Path) -> Callable[[WebSocket], Awaitable[None]]:
    """Sends ``{"streams": [...]}`` for what arrives after the connection was made, and the last ``limit`` lines before that first."""

    async def tail(socket: WebSocket) -> None:
        await socket.accept()
        try:
            query = parse(socket.query_params.get("query", ""))
            if not isinstance(query, LogQuery):
                raise LogQLError("only log queries are supported for tailing")
            limit = integer_parameter(dict(socket.query_params), "limit", 100)
        except (LogQLError, BadParameterError) as error:
            await socket.close(_BAD_QUERY, str(error)[:120])  # a close frame holds 123 bytes
            return
        following = asyncio.ensure_future(_follow(socket, file, query, max(0, limit)))
        leaving = asyncio.ensure_future(_until_it_leaves(socket))
        _, others = await asyncio.wait((following, leaving), return_when=asyncio.FIRST_COMPLETED)
        for other in others:
            other.cancel()
        await asyncio.gather(following, leaving, return_exceptions=True)

    return tail


async def _until_it_leaves(socket: WebSocket) -> None:
    # Loki's clients say nothing; what they send is only read to see them go.
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


async def _follow(socket: WebSocket, file: Path, query: LogQuery, limit: int) -> None:
    try:
        with await run_in_threadpool(_Following, file, query) as following:
            found = await run_in_threadpool(following.begin, limit)
            while True:
                if found:
                    await _send(socket, found)
                if len(found) < _MOST_AT_ONCE:
                    await asyncio.sleep(_LOOK_EVERY_S)
                found = await run_in_threadpool(following.go_on)
    except WebSocketDisconnect:
        pass
    except sqlite3.Error as error:
        await socket.close(_FAILED, explain(error, file)[:120])
    except StackError as error:
        await socket.close(_FAILED, str(error)[:120])


class _Following:
    """The lines of a query as threads read them, which go on when the task that waits for them is cancelled.

    SQLite takes the whole process with it where a connection is closed under a statement, so the end waits for whoever reads.
    """

    def __init__(self, file: Path, query: LogQuery) -> None:
        self._query = query
        self._connection = open_reader(file)
        self._lines = Lines(self._connection)
        self._place = 0
        self._is_over = False
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._is_over = True
        self._connection.interrupt()
        with self._lock:
            self._connection.close()

    def begin(self, limit: int) -> list[Line]:
        """The newest lines. Raises sqlite3.Error."""
        return self._read(lambda: self._lines.newest(self._query, limit))

    def go_on(self) -> list[Line]:
        """What has come since. Raises sqlite3.Error."""
        return self._read(lambda: self._lines.arrived(self._query, self._place, _MOST_AT_ONCE))

    def _read(self, ask: Callable[[], tuple[list[Line], int]]) -> list[Line]:
        with self._lock:
            if self._is_over:
                return []
            found, self._place = ask()
            return found


async def _send(socket: WebSocket, found: list[Line]) -> None:
    await socket.send_json({"streams": in_streams(found, is_categorized=False)})
