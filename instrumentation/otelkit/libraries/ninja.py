"""django-ninja: which operation answered, the time of schemas, what throttles refused, and errors of validation without their values."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial, wraps
from inspect import iscoroutinefunction
from typing import Any

from otelkit.catalog import libraries
from otelkit.catalog.metrics import THROTTLE_REJECTIONS, VALIDATION_FAILURES
from otelkit.libraries.base import Library, Recording
from otelkit.libraries.patching import Patches
from otelkit.libraries.steps import serialize
from otelkit.libraries.validation import Validation
from otelkit.metrics.aggregator import Counter
from otelkit.request.state import CURRENT

logger = logging.getLogger("otelkit.libraries")

_patches = Patches()


def instrument(recording: Recording) -> None:
    """Follows every operation, sync and async."""
    from ninja.main import NinjaAPI
    from ninja.operation import AsyncOperation, Operation

    if _patches:
        return
    _patches.replace(Operation, "run", _named)
    _patches.replace(AsyncOperation, "run", _named)
    for name, verb in (("_get_values", "validate"), ("_result_to_response", "serialize")):
        _patches.replace(Operation, name, partial(_timed, recording, verb))
    _patches.replace(Operation, "_check_throttles", partial(_follow_throttles, recording.aggregator.counter(THROTTLE_REJECTIONS)))
    _patches.replace(NinjaAPI, "on_exception", partial(_follow_exceptions, Validation(recording.aggregator)))


def _named(run: Callable[..., Any]) -> Callable[..., Any]:
    if iscoroutinefunction(run):

        @wraps(run)
        async def run_named_async(self: Any, *args: Any, **kwargs: Any) -> Any:
            _name_request(self)
            return await run(self, *args, **kwargs)

        return run_named_async

    @wraps(run)
    def run_named(self: Any, *args: Any, **kwargs: Any) -> Any:
        _name_request(self)
        return run(self, *args, **kwargs)

    return run_named


def _name_request(operation: Any) -> None:
    """The view of the URL pattern is ninja's own: it chooses the operation by the method."""
    if (state := CURRENT.get()) is not None:
        state.view_name = _name_of(operation)


def _name_of(operation: Any) -> str | None:
    view = getattr(operation, "view_func", None)
    name = getattr(view, "__qualname__", None)
    return f"{getattr(view, '__module__', '')}.{name}" if name else None


def _timed(recording: Recording, verb: str, work: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(work)
    def timed(self: Any, *args: Any, **kwargs: Any) -> Any:
        name = _name_of(self) or "operation"
        return serialize(recording.steps, f"{verb} {name.rpartition('.')[2]}", name, partial(work, self, *args, **kwargs))

    return timed


def _follow_throttles(rejections: Counter, check: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(check)
    def followed(self: Any, request: Any) -> Any:
        refusal = check(self, request)
        if refusal is not None:
            try:
                rejections.add(1, (_scope_of(self.throttle_objects),))
            except Exception:
                logger.exception("otelkit could not count what django-ninja refused; the answer is not affected.")
        return refusal

    return followed


def _scope_of(throttles: list[Any]) -> str | None:
    """None where there are several: ninja does not tell which of them refused."""
    if len(throttles) != 1:
        return None
    scope = getattr(throttles[0], "scope", None)
    return scope[:64] if isinstance(scope, str) and scope else type(throttles[0]).__name__


def _follow_exceptions(validation: Validation, handle: Callable[..., Any]) -> Callable[..., Any]:
    from ninja.errors import ValidationError

    @wraps(handle)
    def followed(self: Any, request: Any, exc: Any) -> Any:
        if isinstance(exc, ValidationError):
            try:
                validation.raised([None] * len(exc.errors))
            except Exception:
                logger.exception("otelkit could not count what django-ninja refused; the answer is not affected.")
        return handle(self, request, exc)

    return followed


def uninstrument() -> None:
    """Puts django-ninja's own methods back."""
    _patches.restore()


LIBRARY = Library(libraries.NINJA, instrument, uninstrument, emits=(THROTTLE_REJECTIONS, VALIDATION_FAILURES))
