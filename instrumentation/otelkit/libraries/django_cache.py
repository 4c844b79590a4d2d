"""Django's caches: duration and outcome of every call, sync and async, whatever the backend; hits and misses of the request.

Patched at the backends' classes, which every thread's instances share: so nothing is left behind in a thread that stop() cannot reach.
A method that calls another of the same cache is one call. Keys and values are not looked at.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sized
from contextlib import suppress
from contextvars import ContextVar, Token
from functools import lru_cache, partial, wraps
from inspect import iscoroutinefunction, isfunction, signature
from time import perf_counter
from typing import Any, Final
from weakref import WeakKeyDictionary

from otelkit.catalog import libraries
from otelkit.catalog.metrics import DJANGO_CACHE_OPERATION_DURATION
from otelkit.libraries.base import Library, Recording
from otelkit.libraries.patching import Patches
from otelkit.libraries.steps import Step
from otelkit.traces.suppression import is_suppressed

logger = logging.getLogger("otelkit.libraries")

READING: Final = ("get", "get_many", "has_key", "get_or_set")
COUNTING: Final = ("incr", "decr", "incr_version", "decr_version")
WRITING: Final = ("set", "add", "touch", "delete", "set_many", "delete_many", "clear")
OPERATIONS: Final = (*READING, *COUNTING, *WRITING)

_patches = Patches()
_under_way: ContextVar[_Call | None] = ContextVar("otelkit_cache_call", default=None)
_ABSENT: Final = object()
"""Given to a backend as the default, so that a value equal to the caller's default is still a hit."""


def is_within_a_cache() -> bool:
    """Whether a call of a cache is under way: what is asked of a server then, is asked for the cache."""
    call = _under_way.get()
    return call is not None and not call.is_over


class _Recorder:
    """What every call needs: the instrument, and the alias of each cache."""

    def __init__(self, recording: Recording) -> None:
        self.duration = recording.aggregator.histogram(DJANGO_CACHE_OPERATION_DURATION)
        self.steps = recording.steps
        self._aliases: WeakKeyDictionary[Any, str] = WeakKeyDictionary()

    def begin(self, cache: Any, operation: str) -> _Call | None:
        """None where the call is not to be recorded."""
        try:
            if is_suppressed():
                return None
            return _Call(self, cache, operation, self._alias_of(cache), is_within_another=is_within_a_cache())
        except Exception:
            logger.exception("otelkit could not follow a call of a cache; the call itself is not affected.")
            return None

    def name(self, cache: Any, alias: str) -> None:
        """Remembers the alias of a cache for as long as that lives."""
        with suppress(TypeError):  # a backend that cannot be a key is looked for at each call
            self._aliases[cache] = alias

    def _alias_of(self, cache: Any) -> str | None:
        with suppress(KeyError, TypeError):
            return self._aliases[cache]
        alias = _alias_here(cache)
        if alias is not None:
            self.name(cache, alias)
        return alias


def _alias_here(cache: Any) -> str | None:
    """Its alias, where it is one of this thread's caches."""
    return next((alias for alias, opened in _opened() if opened is cache), None)


def _opened() -> list[tuple[str, Any]]:
    """This thread's caches by alias. Nothing public tells the alias, and asking for all would open them."""
    from django.core.cache import caches

    handler: Any = caches
    found = ((alias, getattr(handler._connections, alias, None)) for alias in handler.settings)
    return [(alias, opened) for alias, opened in found if opened is not None]


@lru_cache(maxsize=1024)
def _described(operation: str, alias: str | None) -> tuple[str, Mapping[str, str]]:
    """Name and attributes of the step."""
    return f"cache {operation}", {"cache.operation": operation} if alias is None else {"cache.operation": operation, "cache.name": alias}


class _Call:
    """One call under way."""

    __slots__ = (
        "_default",
        "_labels",
        "_recorder",
        "_step",
        "_token",
        "asked",
        "cache",
        "found",
        "is_over",
        "is_within_another",
        "operation",
    )

    def __init__(self, recorder: _Recorder, cache: Any, operation: str, alias: str | None, *, is_within_another: bool) -> None:
        self._recorder = recorder
        self.cache = cache
        self.operation = operation
        self.is_over = False
        """A task that began within it may still see it."""
        self.is_within_another = is_within_another
        """Of another cache, as in a backend that keeps two levels: it has a sample, but the request asked only once."""
        self._labels = (alias, operation)
        self._default: Any = None
        self.asked = 1
        self.found: int | None = None
        """Values that were there, once that is known."""
        self._token: Token[_Call | None] = _under_way.set(self)
        self._step = Step(recorder.steps, *_described(operation, alias))

    def prepare(self, args: tuple[Any, ...], kwargs: dict[str, Any], *, takes_default: bool) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments as the backend gets them."""
        if self.operation == "get" and takes_default:
            if len(args) > 1:
                self._default = args[1]
                return (args[0], _ABSENT, *args[2:]), kwargs
            self._default = kwargs.get("default")
            return args, {**kwargs, "default": _ABSENT}
        if self.operation == "get_or_set":
            if len(args) > 1 and callable(args[1]):
                return (args[0], self._outside(args[1]), *args[2:]), kwargs
            if callable(kwargs.get("default")):
                return args, {**kwargs, "default": self._outside(kwargs["default"])}
        if self.operation == "get_many":
            return self._prepare_many(args, kwargs)
        return args, kwargs

    def _prepare_many(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        keys = args[0] if args else kwargs.get("keys", ())
        if not isinstance(keys, Sized):  # an iterator can be read once
            keys = list(keys)
            args, kwargs = ((keys, *args[1:]), kwargs) if args else (args, {**kwargs, "keys": keys})
        try:
            self.asked = len(set(keys))
        except Exception:  # noqa: BLE001  (whatever is wrong with a key, the backend says it)
            self.asked = 0
        return args, kwargs

    def _outside(self, make: Callable[[], Any]) -> Callable[[], Any]:
        """What computes the value is no part of the call: it may take its time, and ask caches itself."""

        def make_outside() -> Any:
            token = _under_way.set(None)
            state = self._step.state
            before, started = 0.0 if state is None else state.attributed, perf_counter()
            try:
                return make()
            finally:
                elapsed = perf_counter() - started
                _under_way.reset(token)
                self._step.leave_out(elapsed, 0.0 if state is None else state.attributed - before)

        return make_outside

    def returned(self, result: Any) -> Any:
        """Records it, and gives what the caller gets."""
        operation = self.operation
        if operation == "get":
            if result is _ABSENT:
                self.found, result = 0, self._default
            elif self.found is None:
                self.found = 1
        elif operation == "get_many":
            self.found = len(result) if self.asked and isinstance(result, Sized) else None
        elif operation == "has_key":
            self.found = 1 if result else 0
        self._record("ok" if self.found is None else "hit" if self.found >= self.asked else "miss", None)
        return result

    def raised(self, error: BaseException) -> None:
        """Records a call that failed. ``incr()`` of a key that is not there raises ValueError: no failure of the cache."""
        is_miss = isinstance(error, ValueError) and self.operation in COUNTING
        self._record("miss" if is_miss else "error", None if is_miss else error)

    def _record(self, outcome: str, error: BaseException | None) -> None:
        self.is_over = True
        with suppress(ValueError):  # in another context than it began in, as where a loop closes what was left over
            _under_way.reset(self._token)
        elapsed = self._step.end(error)
        try:
            self._recorder.duration.record(elapsed, (*self._labels, outcome))
            state = self._step.state
            if state is None:
                return
            state.cache_time += self._step.own
            if self.found is not None and not self.is_within_another:
                state.cache_hits += min(self.found, self.asked)
                state.cache_misses += max(self.asked - self.found, 0)
        except Exception:
            logger.exception("otelkit could not record a call of a cache; its result is not affected.")


def _follow(recorder: _Recorder, operation: str, original: Callable[..., Any]) -> Callable[..., Any]:
    takes_default = "default" in signature(original).parameters
    if iscoroutinefunction(original):

        @wraps(original)
        async def followed_async(self: Any, *args: Any, **kwargs: Any) -> Any:
            outer = _under_way.get()
            if outer is not None and outer.cache is self and not outer.is_over:
                result = await original(self, *args, **kwargs)
                return _told(outer, operation, args, kwargs, result)
            call = recorder.begin(self, operation)
            if call is None:
                return await original(self, *args, **kwargs)
            try:
                args, kwargs = call.prepare(args, kwargs, takes_default=takes_default)
                result = await original(self, *args, **kwargs)
            except BaseException as error:
                call.raised(error)
                raise
            return call.returned(result)

        return followed_async

    @wraps(original)
    def followed(self: Any, *args: Any, **kwargs: Any) -> Any:
        outer = _under_way.get()
        if outer is not None and outer.cache is self and not outer.is_over:
            result = original(self, *args, **kwargs)
            return _told(outer, operation, args, kwargs, result)
        call = recorder.begin(self, operation)
        if call is None:
            return original(self, *args, **kwargs)
        try:
            args, kwargs = call.prepare(args, kwargs, takes_default=takes_default)
            result = original(self, *args, **kwargs)
        except BaseException as error:
            call.raised(error)
            raise
        return call.returned(result)

    return followed


def _told(outer: _Call, operation: str, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> Any:
    """The first look of a ``get_or_set()`` says whether that was a hit."""
    if operation == "get" and outer.operation == "get_or_set" and outer.found is None:
        outer.found = 0 if result is (args[1] if len(args) > 1 else kwargs.get("default")) else 1
    return result


def _follow_class(recorder: _Recorder, kind: type, done: set[type]) -> None:
    """Follows what the class defines itself, once."""
    if kind in done or kind is object:
        return
    done.add(kind)
    for operation in OPERATIONS:
        for name in (operation, f"a{operation}"):
            defined = vars(kind).get(name)
            if isfunction(defined) and (name == operation or iscoroutinefunction(defined)):
                _patches.replace(kind, name, partial(_follow, recorder, operation))


def instrument(recording: Recording) -> None:
    """Follows every call of every cache, those of classes that are imported later included."""
    from django.core.cache import BaseCache, CacheHandler
    from django.core.exceptions import ImproperlyConfigured

    if _patches:
        return
    recorder, done = _Recorder(recording), set[type]()
    with suppress(ImproperlyConfigured):  # settings without a default cache: Django says so where one is used
        for alias, opened in _opened():
            recorder.name(opened, alias)

    def made(create: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(create)
        def create_connection(self: Any, alias: str) -> Any:
            cache = create(self, alias)
            for kind in type(cache).__mro__:
                _follow_class(recorder, kind, done)
            recorder.name(cache, alias)
            return cache

        return create_connection

    for kind in [BaseCache, *_below(BaseCache)]:
        _follow_class(recorder, kind, done)
    _patches.replace(CacheHandler, "create_connection", made)


def _below(kind: type) -> list[type]:
    children: list[type] = kind.__subclasses__()
    return [found for child in children for found in (child, *_below(child))]


def uninstrument() -> None:
    """Puts the backends' own methods back, for the caches of every thread."""
    _patches.restore()


LIBRARY = Library(libraries.DJANGO_CACHE, instrument, uninstrument, emits=(DJANGO_CACHE_OPERATION_DURATION,))
