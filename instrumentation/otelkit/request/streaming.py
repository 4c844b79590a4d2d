"""Streamed bodies: the request goes on until the last piece is out, and what runs inside the generator belongs to its trace."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from time import perf_counter
from typing import Any, Protocol

from django.http import FileResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from otelkit.request.phases import end_view
from otelkit.request.state import RequestState


class Engine(Protocol):
    """What a streamed body needs of the request engine."""

    def enter(self, state: RequestState) -> None: ...

    def leave(self, state: RequestState) -> None: ...

    def end(self, state: RequestState, response: HttpResponseBase | None, exception: BaseException | None = None) -> None: ...


def follow(engine: Engine, state: RequestState, response: HttpResponseBase) -> None:
    """Ends the request when the response is closed, instead of now."""
    # A file is left as it is, so that the server can still send it without reading it through Python.
    if isinstance(response, StreamingHttpResponse) and not isinstance(response, FileResponse):
        content: Any = response.streaming_content
        if response.is_async:
            response.streaming_content = _pieces_async(engine, state, response, content)
        else:
            response.streaming_content = _pieces(engine, state, response, content)
    # A server that never iterates (HEAD, a client that went away) still closes the response.
    closers: list[Any] = response._resource_closers  # type: ignore[attr-defined]  # Django's, since 2.2; nothing public says "closed"
    closers.append(lambda: engine.end(state, response))


def _pieces(engine: Engine, state: RequestState, response: HttpResponseBase, content: Iterator[Any]) -> Iterator[Any]:
    try:
        while True:
            engine.enter(state)
            before, started = state.attributed, perf_counter()
            try:
                piece = next(content)
            except StopIteration:
                break
            finally:
                end_view(state, before, started)
                engine.leave(state)
            state.sent_bytes += len(piece)
            yield piece
    except GeneratorExit:
        engine.end(state, response)
        raise
    except BaseException as error:
        engine.end(state, response, error)
        raise
    engine.end(state, response)


async def _pieces_async(engine: Engine, state: RequestState, response: HttpResponseBase, content: AsyncIterator[Any]) -> AsyncIterator[Any]:
    try:
        while True:
            engine.enter(state)
            before, started = state.attributed, perf_counter()
            try:
                piece = await anext(content)
            except StopAsyncIteration:
                break
            finally:
                end_view(state, before, started)
                engine.leave(state)
            state.sent_bytes += len(piece)
            yield piece
    except GeneratorExit:
        engine.end(state, response)
        raise
    except BaseException as error:
        engine.end(state, response, error)
        raise
    engine.end(state, response)
