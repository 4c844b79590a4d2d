"""Errors as problem bodies (RFC 9457), so that a caller reads the same shape whatever went wrong."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.views import View

MEDIA_TYPE = "application/problem+json"


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
