"""A middleware that changes answers: with it, a run that finds no difference does not compare."""

from __future__ import annotations

from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction


class Saboteur:
    """Gives every answer another content type."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: Any) -> Any:
        return self._answer_async(request) if self._is_async else _spoilt(self.get_response(request))

    async def _answer_async(self, request: Any) -> Any:
        return _spoilt(await self.get_response(request))


def _spoilt(response: Any) -> Any:
    response.headers["Content-Type"] = "text/x-sabotaged"
    return response
