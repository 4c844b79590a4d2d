"""Idempotency keys: a request that is sent twice is done once, and answered twice (draft-ietf-httpapi-idempotency-key-header-07).

from otelkit.patterns.idempotency import idempotent

@idempotent()  # a view function, sync or async; a class of views or a viewset: @method_decorator(idempotent(), name="dispatch")
def create_order(request): ...

Kept in one of Django's caches, which all workers must share; ``add()`` decides who is first. A cache that forgets early, or is away, means
that a request may be done twice, as without a key: it never means that one is refused.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, TypeVar, cast
from uuid import uuid4

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.cache import DEFAULT_CACHE_ALIAS, caches
from django.http import HttpRequest, HttpResponse, JsonResponse, RawPostDataException
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse
from opentelemetry import trace

from otelkit.catalog.metrics import IDEMPOTENCY_REQUESTS
from otelkit.metrics import business

logger = logging.getLogger("otelkit.idempotency")

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
"""Header of an answer that was given before."""
LONGEST_KEY = 255
LARGEST_ANSWER = 1_048_576
"""Bytes of an answer that is kept; a larger one is not, and its request may be done twice."""
_KEPT_HEADERS = ("Content-Type", "Content-Language", "Location", "ETag", "Cache-Control", "Deprecation", "Sunset", "Link")

_NOT_FINAL = frozenset({401, 403, 408, 409, 423, 425, 429})
"""Answers that may differ the next time, because of who asks or when."""

_requests = business.recorder(business.BusinessCounter, IDEMPOTENCY_REQUESTS)
V = TypeVar("V", bound=Callable[..., Any])


def counted(outcome: str) -> None:
    """A request with a key turned out to be ``new``, ``replay``, ``conflict`` or ``in_progress``. For implementations of your own."""
    _requests.add(1, outcome=outcome)
    with suppress(Exception):  # the span may be the project's own
        trace.get_current_span().add_event("idempotency", {"outcome": outcome})


def whose(request: HttpRequest) -> str:
    """Whom a key belongs to: the Authorization header, else the session. Two callers with one key must not see each other's answers.

    Where callers renew their tokens between two attempts, give a ``scope`` of your own, like ``lambda request: str(request.user.pk)``.
    """
    return str(request.META.get("HTTP_AUTHORIZATION") or request.COOKIES.get(settings.SESSION_COOKIE_NAME) or "")


@dataclass(frozen=True, slots=True)
class _Kept:
    """One key in the cache: whose request it was, who works on it, and the answer once there is one."""

    fingerprint: str
    worker: str
    answer: dict[str, Any] | None = None

    def written(self) -> str:
        return json.dumps([self.fingerprint, self.worker, self.answer])


def idempotent(
    *,
    methods: tuple[str, ...] = ("POST", "PATCH"),
    required: bool = False,
    keep_for: float = 86_400.0,
    works_for: float = 60.0,
    cache: str = DEFAULT_CACHE_ALIAS,
    scope: Callable[[HttpRequest], str] = whose,
) -> Callable[[V], V]:
    """A decorator of a view: the first request of a key is done, and its answer kept for ``keep_for`` seconds and given again.

    Answers 409 while the first is being done (for ``works_for`` seconds at most, so that a worker that dies blocks nobody for ever), 422
    where the key comes with another request, and 400 for a key that is none, or for none where it is ``required``. What ends in 5xx, 401,
    403, 429 or the like, in an exception or in a stream is not kept. ``scope`` says whom a key belongs to.
    """

    def decorate(view: V) -> V:
        if iscoroutinefunction(view):

            @wraps(view)
            async def awaiting(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
                call = _Call(request, methods, required, keep_for, works_for, cache, scope)
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
            call = _Call(request, methods, required, keep_for, works_for, cache, scope)
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


class _Call:
    """One request with its key, from the question to the answer."""

    def __init__(
        self,
        request: HttpRequest,
        methods: tuple[str, ...],
        required: bool,
        keep_for: float,
        works_for: float,
        cache: str,
        scope: Callable[[HttpRequest], str],
    ) -> None:
        self._request = request
        self._applies = request.method in methods
        self._required = required
        self._keep_for = keep_for
        self._works_for = works_for
        self._alias = cache
        self._scope = scope
        self._key = ""
        self._mine: _Kept | None = None

    def begin(self) -> HttpResponse | None:
        """The answer that is known already, or None where the view must find one."""
        if not self._applies:
            return None
        text = str(self._request.META.get("HTTP_IDEMPOTENCY_KEY", "")).strip()
        if not text:
            return _problem(400, f"This request needs the header {HEADER}.") if self._required else None
        given = text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text  # a string of structured fields, or a bare one
        if not given or len(given) > LONGEST_KEY or not given.isascii() or not given.isprintable():
            return _problem(400, f"The header {HEADER} must be 1 to {LONGEST_KEY} printable ASCII characters.")
        try:
            return self._decide(given)
        except Exception as error:  # noqa: BLE001  (a cache that is away: the request is done as if it had no key)
            self._mine = None
            logger.warning("An idempotency key could not be looked up (%s); its request is done without.", type(error).__name__)
            return None

    def _decide(self, given: str) -> HttpResponse | None:
        request = self._request
        self._key = "otelkit.idempotency." + _digest(
            self._scope(request), str(request.META.get("HTTP_HOST", "")), request.method or "", request.path, given
        )
        mine = _Kept(_fingerprint(request), uuid4().hex)
        asked = caches[self._alias]
        if asked.add(self._key, mine.written(), self._works_for):
            self._mine = mine
            counted("new")
            return None
        found = asked.get(self._key)
        if found is None:  # it ended, or was forgotten, between the two questions
            return self._in_progress()
        kept = _Kept(*json.loads(found))
        if kept.fingerprint != mine.fingerprint:
            counted("conflict")
            return _problem(422, f"This {HEADER} came with another request before.")
        if kept.answer is None:
            return self._in_progress()
        counted("replay")
        return _replayed(kept.answer)

    @staticmethod
    def _in_progress() -> HttpResponse:
        counted("in_progress")
        answer = _problem(409, f"A request with this {HEADER} is being answered now.")
        answer["Retry-After"] = "1"
        return answer

    def keep_when_rendered(self, response: HttpResponseBase) -> None:
        """Keeps the answer as soon as it has a body: a template's, and Django REST framework's, is made after the view."""
        if isinstance(response, SimpleTemplateResponse):
            response.add_post_render_callback(self._keep)
        else:
            self._keep(response)

    def _keep(self, response: HttpResponseBase) -> None:
        if self._mine is None:
            return
        final = response.status_code < 500 and response.status_code not in _NOT_FINAL
        if not final or not isinstance(response, HttpResponse) or len(response.content) > LARGEST_ANSWER:
            self.forget()
            return
        headers = {name: response[name] for name in _KEPT_HEADERS if name in response}
        answer = {"status": response.status_code, "headers": headers, "body": response.content.decode("latin-1")}
        kept = _Kept(self._mine.fingerprint, self._mine.worker, answer)
        try:
            caches[self._alias].set(self._key, kept.written(), self._keep_for)
        except Exception as error:  # noqa: BLE001  (the answer is there: a cache that is away must not take it back)
            logger.warning("An answer could not be kept for its idempotency key (%s).", type(error).__name__)

    def forget(self) -> None:
        """Lets the next request of this key be the first, unless another worker has taken it over meanwhile."""
        if self._mine is None:
            return
        try:
            asked = caches[self._alias]
            if asked.get(self._key) == self._mine.written():
                asked.delete(self._key)
        except Exception as error:  # noqa: BLE001  (as above)
            logger.warning("An idempotency key could not be forgotten (%s).", type(error).__name__)


def _fingerprint(request: HttpRequest) -> str:
    """What the request asks for. Of an upload that a middleware has read already, its fields, and the names and sizes of its files."""
    try:
        body = request.body
    except RawPostDataException:
        fields = [(name, request.POST.getlist(name)) for name in sorted(request.POST)]
        files = [(name, [(file.name, file.size) for file in request.FILES.getlist(name)]) for name in sorted(request.FILES)]
        body = repr((fields, files)).encode("utf-8", "surrogatepass")
    kind = (request.content_type or "").partition(";")[0]  # the rest may be a boundary that is new each time
    return _digest(request.get_full_path(), kind, body)


def _digest(*parts: str | bytes) -> str:
    # Each with its length, so that no two requests are one text.
    digest = hashlib.sha256()
    for part in parts:
        raw = part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass")
        digest.update(len(raw).to_bytes(8, "big") + raw)
    return digest.hexdigest()


def _replayed(answer: dict[str, Any]) -> HttpResponse:
    response = HttpResponse(answer["body"].encode("latin-1"), status=answer["status"])
    del response["Content-Type"]
    for name, value in answer["headers"].items():
        response[name] = value
    response[REPLAYED] = "true"
    return response


def _problem(status: int, title: str) -> HttpResponse:
    """RFC 9457."""
    return JsonResponse({"title": title, "status": status}, status=status, content_type="application/problem+json")
