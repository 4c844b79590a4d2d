"""Django REST framework: the time of serializers, requests that a throttle refused, and errors of validation without their values.

Which viewset and action answered, the request engine says itself.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial, wraps
from typing import Any

from otelkit.catalog import libraries
from otelkit.catalog.metrics import THROTTLE_REJECTIONS, VALIDATION_FAILURES
from otelkit.importing import when_imported
from otelkit.libraries.base import Library, Recording
from otelkit.libraries.patching import Patches
from otelkit.libraries.steps import serialize
from otelkit.libraries.validation import Validation
from otelkit.metrics.aggregator import Counter

logger = logging.getLogger("otelkit.libraries")

_patches = Patches()
_stop_waiting: list[Callable[[], None]] = []


def instrument(recording: Recording) -> None:
    """Follows views and responses, and serializers once they are imported."""
    from rest_framework.response import Response
    from rest_framework.views import APIView

    if _patches:
        return
    validation = Validation(recording.aggregator)
    rejections = recording.aggregator.counter(THROTTLE_REJECTIONS)
    _patches.replace(APIView, "check_throttles", partial(_follow_throttles, rejections))
    _patches.replace(APIView, "handle_exception", partial(_follow_exceptions, validation))
    _patches.replace(Response, "rendered_content", partial(_follow_rendering, recording))
    _stop_waiting.append(when_imported("rest_framework.serializers", partial(_follow_serializers, recording, validation)))


def _follow_serializers(recording: Recording, validation: Validation) -> None:
    from rest_framework.serializers import BaseSerializer, ListSerializer

    _patches.replace(BaseSerializer, "data", partial(_follow_data, recording))
    _patches.replace(BaseSerializer, "is_valid", partial(_follow_validation, recording, validation))
    # Not its is_valid(): that warns in the name of its caller, counted in frames, and one of ours among them would be taken for it.
    _patches.replace(ListSerializer, "errors", partial(_follow_errors, validation))


def _follow_data(recording: Recording, data: property) -> property:
    get: Any = data.fget

    @wraps(get)
    def followed(self: Any) -> Any:
        if hasattr(self, "_data"):  # made before
            return get(self)
        return serialize(recording.steps, f"serialize {type(self).__name__}", _class_of(self), partial(get, self))

    return property(followed, data.fset, data.fdel, data.__doc__)


def _follow_rendering(recording: Recording, content: property) -> property:
    get: Any = content.fget

    @wraps(get)
    def followed(self: Any) -> Any:
        renderer = getattr(self, "accepted_renderer", None)
        return serialize(recording.steps, f"render {type(renderer).__name__}", _class_of(renderer), partial(get, self))

    return property(followed, content.fset, content.fdel, content.__doc__)


def _follow_validation(recording: Recording, validation: Validation, is_valid: Callable[..., bool]) -> Callable[..., bool]:
    @wraps(is_valid)
    def followed(self: Any, *args: Any, **kwargs: Any) -> bool:
        is_known = hasattr(self, "_validated_data")
        try:
            work = partial(is_valid, self, *args, **kwargs)
            result: bool = serialize(recording.steps, f"validate {type(self).__name__}", _class_of(self), work)
            return result
        finally:
            if not is_known and (errors := getattr(self, "_errors", None)):
                _unharmed(validation.failed, errors)

    return followed


def _follow_errors(validation: Validation, errors: property) -> property:
    get: Any = errors.fget

    @wraps(get)
    def followed(self: Any) -> Any:
        if found := getattr(self, "_errors", None):
            _unharmed(validation.raised, found)
        return get(self)

    return property(followed, errors.fset, errors.fdel, errors.__doc__)


def _follow_exceptions(validation: Validation, handle: Callable[..., Any]) -> Callable[..., Any]:
    from rest_framework.exceptions import ValidationError

    @wraps(handle)
    def followed(self: Any, exc: Any) -> Any:
        if isinstance(exc, ValidationError):
            _unharmed(validation.raised, exc.detail)
        return handle(self, exc)

    return followed


def _follow_throttles(rejections: Counter, check: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(check)
    def followed(self: Any, request: Any) -> Any:
        refused: list[Any] = []
        own, before = self.get_throttles, vars(self).get("get_throttles")
        # On the view, which is made for this request: a viewset may choose its throttles itself.
        self.get_throttles = lambda: [_Watched(throttle, refused) for throttle in own()]
        try:
            return check(self, request)
        finally:
            del self.get_throttles
            if before is not None:
                self.get_throttles = before
            for throttle in refused:
                _unharmed(rejections.add, 1, (_scope_of(throttle),))

    return followed


class _Watched:
    """A throttle that remembers whether it refused. The throttle itself may be shared by all requests, and stays as it is."""

    def __init__(self, throttle: Any, refused: list[Any]) -> None:
        self._throttle = throttle
        self._refused = refused

    def __getattr__(self, name: str) -> Any:
        return getattr(self._throttle, name)

    def allow_request(self, *args: Any, **kwargs: Any) -> Any:
        """What the throttle says."""
        allowed = self._throttle.allow_request(*args, **kwargs)
        if not allowed:
            self._refused.append(self._throttle)
        return allowed


def _scope_of(throttle: Any) -> str:
    scope = getattr(throttle, "scope", None)
    return scope[:64] if isinstance(scope, str) and scope else type(throttle).__name__


def _class_of(what: Any) -> str:
    return f"{type(what).__module__}.{type(what).__qualname__}"


def _unharmed(record: Callable[..., None], *args: Any) -> None:
    try:
        record(*args)
    except Exception:
        logger.exception("otelkit could not count what Django REST framework refused; the answer is not affected.")


def uninstrument() -> None:
    """Puts Django REST framework's own methods back."""
    while _stop_waiting:
        _stop_waiting.pop()()
    _patches.restore()


LIBRARY = Library(libraries.REST_FRAMEWORK, instrument, uninstrument, emits=(THROTTLE_REJECTIONS, VALIDATION_FAILURES))
