"""One request with its key, kept in a cache, from the question to the answer."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.core.cache import caches
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse

from otelkit.patterns.idempotency.answering import LARGEST_ANSWER, conflict, in_progress, is_final, kept_headers, key_of, replayed
from otelkit.patterns.idempotency.fingerprint import addressee, digest, fingerprint
from otelkit.patterns.idempotency.recording import counted

logger = logging.getLogger("otelkit.idempotency")


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
        given = key_of(self._request, required=self._required)
        if not isinstance(given, str):
            return given
        try:
            return self._decide(given)
        except Exception as error:  # noqa: BLE001  (a cache that is away: the request is done as if it had no key)
            self._mine = None
            logger.warning("An idempotency key could not be looked up (%s); its request is done without.", type(error).__name__)
            return None

    def _decide(self, given: str) -> HttpResponse | None:
        request = self._request
        self._key = "otelkit.idempotency." + digest(*addressee(request, self._scope), given)
        mine = _Kept(fingerprint(request), uuid4().hex)
        asked = caches[self._alias]
        if asked.add(self._key, mine.written(), self._works_for):
            self._mine = mine
            counted("new")
            return None
        found = asked.get(self._key)
        if found is None:  # it ended, or was forgotten, between the two questions
            return in_progress()
        kept = _Kept(*json.loads(found))
        if kept.fingerprint != mine.fingerprint:
            return conflict()
        if kept.answer is None:
            return in_progress()
        return replayed(kept.answer["status"], kept.answer["headers"], kept.answer["body"].encode("latin-1"))

    def keep_when_rendered(self, response: HttpResponseBase) -> None:
        """Keeps the answer as soon as it has a body: a template's, and Django REST framework's, is made after the view."""
        if isinstance(response, SimpleTemplateResponse):
            response.add_post_render_callback(self._keep)
        else:
            self._keep(response)

    def _keep(self, response: HttpResponseBase) -> None:
        if self._mine is None:
            return
        if not is_final(response) or not isinstance(response, HttpResponse) or len(response.content) > LARGEST_ANSWER:
            self.forget()
            return
        answer = {"status": response.status_code, "headers": kept_headers(response), "body": response.content.decode("latin-1")}
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
