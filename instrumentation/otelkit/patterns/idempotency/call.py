"""One request with its key, from the question to the answer."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.core.cache import caches
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse

from otelkit.patterns.idempotency.fingerprint import digest, fingerprint
from otelkit.patterns.idempotency.recording import counted

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


@dataclass(frozen=True, slots=True)
class _Kept:
    """One key in the cache: whose request it was, who works on it, and the answer once there is one."""

    fingerprint: str
    worker: str
    answer: dict[str, Any] | None = None

    def written(self) -> str:
        return json.dumps([self.fingerprint, self.worker, self.answer])


class Call:
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
        self._key = "otelkit.idempotency." + digest(
            self._scope(request), str(request.META.get("HTTP_HOST", "")), request.method or "", request.path, given
        )
        mine = _Kept(fingerprint(request), uuid4().hex)
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
