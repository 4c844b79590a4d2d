"""The decorator of views."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial, wraps
from inspect import iscoroutinefunction
from typing import Any, Literal, TypeVar, cast

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.cache import DEFAULT_CACHE_ALIAS
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from otelkit.patterns.idempotency.call import Call

V = TypeVar("V", bound=Callable[..., Any])


def whose(request: HttpRequest) -> str:
    """Whom a key belongs to: the Authorization header, else the session. Two callers with one key must not see each other's answers.

    Where callers renew their tokens between two attempts, give a ``scope`` of your own, like ``lambda request: str(request.user.pk)``.
    """
    return str(request.META.get("HTTP_AUTHORIZATION") or request.COOKIES.get(settings.SESSION_COOKIE_NAME) or "")


def idempotent(
    *,
    methods: tuple[str, ...] = ("POST", "PATCH"),
    required: bool = False,
    keep_for: float = 86_400.0,
    works_for: float = 60.0,
    cache: str = DEFAULT_CACHE_ALIAS,
    scope: Callable[[HttpRequest], str] = whose,
    store: Literal["cache", "database"] = "cache",
    using: str | None = None,
) -> Callable[[V], V]:
    """A decorator of a view: the first request of a key is done, and its answer kept for ``keep_for`` seconds and given again.

    Answers 409 while the first is being done (for ``works_for`` seconds at most, so that a worker that dies blocks nobody for ever), 422
    where the key comes with another request, and 400 for a key that is none, or for none where it is ``required``. What ends in 5xx, 401,
    403, 429 or the like, in an exception or in a stream is not kept. ``scope`` says whom a key belongs to.

    With ``store="database"`` the view runs in a transaction on the database ``using``, with its key and its answer: see
    :mod:`otelkit.patterns.idempotency.database`. Raises TypeError then for a view that is a coroutine function, as no transaction of
    Django's holds its work together, and ValueError for another store.
    """
    if store not in ("cache", "database"):
        raise ValueError(f'idempotent(): store must be "cache" or "database"; it is {store!r}.')

    def decorate(view: V) -> V:
        if store == "database":
            return _in_transaction(view, methods, required, keep_for, scope, using)
        if iscoroutinefunction(view):

            @wraps(view)
            async def awaiting(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
                call = Call(request, methods, required, keep_for, works_for, cache, scope)
                # The cache may be a socket, so it is asked in the thread that Django keeps for that.
                if (known := await sync_to_async(call.begin)()) is not None:
                    return known
                try:
                    response: HttpResponseBase = await cast(Awaitable[HttpResponseBase], view(request, *args, **kwargs))
                except BaseException:
                    await sync_to_async(call.forget)()
                    raise
                await sync_to_async(call.keep_when_rendered)(response)
                return response

            return awaiting  # type: ignore[return-value]

        @wraps(view)
        def calling(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            call = Call(request, methods, required, keep_for, works_for, cache, scope)
            if (known := call.begin()) is not None:
                return known
            try:
                response: HttpResponseBase = view(request, *args, **kwargs)
            except BaseException:
                call.forget()
                raise
            call.keep_when_rendered(response)
            return response

        return calling  # type: ignore[return-value]

    return decorate


def _in_transaction(
    view: V, methods: tuple[str, ...], required: bool, keep_for: float, scope: Callable[[HttpRequest], str], using: str | None
) -> V:
    if iscoroutinefunction(view):
        raise TypeError(
            f'idempotent(store="database") decorates {view.__qualname__}, which is a coroutine function, and Django has no transactions '
            'there. Make the view a plain function (it runs in a thread under ASGI), or take store="cache".'
        )

    @wraps(view)
    def calling(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        # Its model can be imported once the apps are loaded, which this module is not to wait for.
        from otelkit.patterns.idempotency.database import done_once

        work = partial(view, request, *args, **kwargs)
        return done_once(request, work, methods=methods, required=required, keep_for=keep_for, scope=scope, using=using)

    return calling  # type: ignore[return-value]
