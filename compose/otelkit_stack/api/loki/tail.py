"""``/loki/api/v1/tail``: lines as they arrive, over a websocket."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

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
        connection = await run_in_threadpool(open_reader, file)
        try:
            reading = Lines(connection)
            found, row = await run_in_threadpool(reading.newest, query, limit)
            while True:
                if found:
                    await _send(socket, found)
                if len(found) < _MOST_AT_ONCE:
                    await asyncio.sleep(_LOOK_EVERY_S)
                found, row = await run_in_threadpool(reading.arrived, query, row, _MOST_AT_ONCE)
        finally:
            connection.close()
    except WebSocketDisconnect:
        pass
    except sqlite3.Error as error:
        await socket.close(_FAILED, explain(error, file)[:120])
    except StackError as error:
        await socket.close(_FAILED, str(error)[:120])


async def _send(socket: WebSocket, found: list[Line]) -> None:
    await socket.send_json({"streams": in_streams(found, is_categorized=False)})
