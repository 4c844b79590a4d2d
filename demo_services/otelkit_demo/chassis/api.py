"""What the shop's APIs have alike under Django REST framework: refusals as problem bodies, and keys of idempotency."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from drf_spectacular.utils import OpenApiParameter
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from otelkit.patterns.resilience import DeadlineExceededError
from otelkit_demo.chassis.problems import MEDIA_TYPE

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER, description="The same request is done once, however often it is sent with this key."
)

STALE = '110 - "Response is Stale"'
"""``Warning`` of an answer that was kept, because whoever knows better is away (RFC 9111 still reads what RFC 7234 wrote)."""


def caller_of(request: HttpRequest) -> str:
    """Whom an idempotency key belongs to: the service that the token names, however often it renews the token."""
    return str(request.user)  # a view's method is given DRF's request, whose user is the token's


def refusal(status: HTTPStatus, detail: str, **more: Any) -> Response:
    """A problem body as a view's answer. ``more`` are further members."""
    return Response({"title": status.phrase, "status": int(status), "detail": detail, **more}, status=status, content_type=MEDIA_TYPE)


def as_problem(error: Exception, _context: Mapping[str, Any]) -> Response | None:
    """DRF's ``EXCEPTION_HANDLER``: every refusal as a problem body (RFC 9457). None for what nobody expected, which becomes a 500."""
    if isinstance(error, Http404):
        error = exceptions.NotFound(str(error) or None)
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if isinstance(error, DeadlineExceededError):
        return refusal(HTTPStatus.GATEWAY_TIMEOUT, "Nobody waits for the answer any more.")
    if not isinstance(error, exceptions.APIException):
        return None
    set_rollback()
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if (wait := getattr(error, "wait", None)) is not None:
        headers["Retry-After"] = str(max(int(wait), 1))
    more: dict[str, Any] = {}
    status = HTTPStatus(error.status_code)
    if isinstance(error, exceptions.ValidationError):
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        more["errors"] = _fields(error.detail)
        said = "; ".join(f"{entry['field']}: {entry['detail']}" if entry["field"] else entry["detail"] for entry in more["errors"])
    else:
        said = str(error.detail)
    answer = refusal(status, said[:1000], **more)
    for name, value in headers.items():
        answer[name] = value
    return answer


def _fields(detail: Any, path: str = "") -> list[dict[str, str]]:
    if isinstance(detail, Mapping):
        found = []
        for name, inner in detail.items():
            here = path if name == "non_field_errors" else f"{path}.{name}" if path else str(name)
            found += _fields(inner, here)
        return found
    if isinstance(detail, list):
        return [entry for inner in detail for entry in _fields(inner, path)]
    return [{"field": path, "detail": str(detail)}]
