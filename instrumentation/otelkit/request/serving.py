"""The engine that follows the requests of this process: start() sets it, and the middlewares, which Django makes, ask for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from otelkit.request.engine import RequestEngine

_engine: RequestEngine | None = None


def serve_with(engine: RequestEngine) -> Callable[[], None]:
    """From now on middlewares work with this engine. Gives back the undoing."""
    global _engine
    _engine = engine
    return _stop_serving


def serving_engine() -> RequestEngine | None:
    """The engine, or None where the kit is off or the setting ``requests.engine`` chose another one."""
    return _engine


def _stop_serving() -> None:
    global _engine
    _engine = None
