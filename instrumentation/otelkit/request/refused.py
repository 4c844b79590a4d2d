"""What Django refuses before it has a request, so that no middleware sees it: under ASGI, a query string that is no UTF-8 (A9)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import IO, Any

from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.http.response import HttpResponseBase

from otelkit.request.engine import RequestEngine

logger = logging.getLogger("otelkit.request")


def follow_refusals(engine: RequestEngine) -> Callable[[], None]:
    """Records each as a request that was answered; gives back the undoing."""
    original = ASGIHandler.create_request

    def create_request(self: ASGIHandler, scope: dict[str, Any], body_file: IO[bytes]) -> tuple[Any, Any]:
        request, refusal = original(self, scope, body_file)
        if request is None and refusal is not None:
            _record(engine, scope, body_file, refusal)
        return request, refusal

    ASGIHandler.create_request = create_request  # type: ignore[method-assign, assignment]

    def undo() -> None:
        if ASGIHandler.create_request is create_request:
            ASGIHandler.create_request = original  # type: ignore[method-assign]

    return undo


def _record(engine: RequestEngine, scope: dict[str, Any], body_file: IO[bytes], refusal: HttpResponseBase) -> None:
    try:
        # Django's own class, for a project's may be what refused it.
        request = ASGIRequest({**scope, "query_string": b""}, body_file)
        if not engine.excludes(request):
            engine.finish(engine.begin(request), refusal)
    except Exception:
        logger.exception("otelkit could not record a request that Django refused; its answer is not affected.")
