"""Errors as problem bodies (RFC 9457), so that a caller reads the same shape whatever went wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.views import View

MEDIA_TYPE = "application/problem+json"


class BadInputError(Exception):
    """Bad input, said in a way that its sender can mend. ``more`` are further members of the body."""

    def __init__(self, status: HTTPStatus, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.more = more

    def response(self) -> JsonResponse:
        """The answer: status, and a body with ``title``, ``status``, ``detail`` and what ``more`` holds."""
        return problem(self.status, self.detail, **self.more)


def problem(status: HTTPStatus, detail: str, **more: Any) -> JsonResponse:
    """One problem body. Its ``type`` is left out, which RFC 9457 reads as "the title says it all"."""
    body = {"title": status.phrase, "status": int(status), "detail": detail, **more}
    return JsonResponse(body, status=status, content_type=MEDIA_TYPE)


class Resource(View):
    """A view whose refused methods are problems too, in sync and async services alike."""

    def http_method_not_allowed(self, request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponse:
        allowed = ", ".join(method.upper() for method in self.http_method_names if hasattr(self, method))
        refusal = problem(HTTPStatus.METHOD_NOT_ALLOWED, f"{request.method} is not allowed here. Allowed: {allowed}.")
        refusal["Allow"] = allowed
        if self.view_is_async:
            return _awaitable(refusal)  # type: ignore[return-value]  # as Django's own method does for async views
        return refusal


async def _awaitable(response: HttpResponse) -> HttpResponse:
    return response


def json_object(request: HttpRequest) -> dict[str, Any]:
    """The body as a JSON object. Raises BadInputError (400) where it is something else."""
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise BadInputError(HTTPStatus.BAD_REQUEST, f"The body is not JSON: {error}.") from error
    if not isinstance(body, dict):
        raise BadInputError(HTTPStatus.BAD_REQUEST, f"The body must be a JSON object; it is {_JSON_NAMES[type(body)]}.")
    return body


_JSON_NAMES: Mapping[type, str] = {
    list: "an array",
    str: "a string",
    int: "a number",
    float: "a number",
    bool: "a boolean",
    type(None): "null",
}


def text_field(body: Mapping[str, Any], name: str, *, longest: int) -> str:
    """A required, non-empty string. Raises BadInputError (422) naming the field."""
    value = body.get(name)
    if not isinstance(value, str) or not value.strip():
        raise _bad_field(name, "must be a non-empty string", body)
    if len(value) > longest:
        raise BadInputError(HTTPStatus.UNPROCESSABLE_ENTITY, f"{name} may have {longest} characters; it has {len(value)}.", field=name)
    return value


def count_field(body: Mapping[str, Any], name: str, *, most: int) -> int:
    """A required whole number from 1 to ``most``. Raises BadInputError (422) naming the field and its value."""
    value = body.get(name)
    # bool is an int in Python, but `true` is no quantity.
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise _bad_field(name, f"must be a whole number from 1 to {most}", body)
    return value


def _bad_field(name: str, rule: str, body: Mapping[str, Any]) -> BadInputError:
    said = f"it is {json.dumps(body[name])[:80]}" if name in body else "it is missing"
    return BadInputError(HTTPStatus.UNPROCESSABLE_ENTITY, f"{name} {rule}; {said}.", field=name)


# Django passes the exception by this name, wanted or not.
def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:  # noqa: ARG001
    """``handler400``: what Django itself refused, like an unknown Host."""
    return problem(HTTPStatus.BAD_REQUEST, "The request could not be read.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:  # noqa: ARG001
    """``handler404``: no URL pattern matched."""
    return problem(HTTPStatus.NOT_FOUND, f"Nothing lives at {request.path[:200]}.")


def server_error(request: HttpRequest) -> HttpResponseBase:  # noqa: ARG001
    """``handler500``: an exception nobody caught. The body names no cause; the log line and the trace do."""
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "The service failed. Its log says why.")
