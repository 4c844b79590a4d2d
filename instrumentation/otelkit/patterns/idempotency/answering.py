"""What both stores share: the key as a request brings it, the answers about keys, and which answers are final."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase

from otelkit.patterns.idempotency.recording import counted

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
"""Header of an answer that was given before."""
LONGEST_KEY = 255
LARGEST_ANSWER = 1_048_576
"""Bytes of an answer that is kept."""
_KEPT_HEADERS = ("Content-Type", "Content-Language", "Location", "ETag", "Cache-Control", "Deprecation", "Sunset", "Link")

_NOT_FINAL = frozenset({401, 403, 408, 409, 423, 425, 429})
"""Answers that may differ the next time, because of who asks or when."""


def key_of(request: HttpRequest, *, required: bool) -> str | HttpResponse | None:
    """The key; the answer that refuses one that is none, or the lack of one; None where there is none and need not be."""
    text = str(request.META.get("HTTP_IDEMPOTENCY_KEY", "")).strip()
    if not text:
        return _problem(400, f"This request needs the header {HEADER}.") if required else None
    given = text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text  # a string of structured fields, or a bare one
    if not given or len(given) > LONGEST_KEY or not given.isascii() or not given.isprintable():
        return _problem(400, f"The header {HEADER} must be 1 to {LONGEST_KEY} printable ASCII characters.")
    return given


def is_final(response: HttpResponseBase) -> bool:
    """Whether the same request would get the same answer another time."""
    return response.status_code < 500 and response.status_code not in _NOT_FINAL


def kept_headers(response: HttpResponseBase) -> dict[str, str]:
    """Those that belong to the answer, and not to who got it first."""
    return {name: response[name] for name in _KEPT_HEADERS if name in response}


def replayed(status: int, headers: Mapping[str, str], body: bytes) -> HttpResponse:
    """The answer that was given before."""
    counted("replay")
    response = HttpResponse(body, status=status)
    del response["Content-Type"]
    for name, value in headers.items():
        response[name] = value
    response[REPLAYED] = "true"
    return response


def conflict() -> HttpResponse:
    """The key is another request's."""
    counted("conflict")
    return _problem(422, f"This {HEADER} came with another request before.")


def in_progress() -> HttpResponse:
    """Somebody is at it."""
    counted("in_progress")
    answer = _problem(409, f"A request with this {HEADER} is being answered now.")
    answer["Retry-After"] = "1"
    return answer


def done_before() -> HttpResponse:
    """It was done, and what was said then could not be kept."""
    counted("replay")
    return _problem(409, f"A request with this {HEADER} was done before; its answer was not kept.")


def _problem(status: int, title: str) -> HttpResponse:
    """RFC 9457."""
    return JsonResponse({"title": title, "status": status}, status=status, content_type="application/problem+json")
