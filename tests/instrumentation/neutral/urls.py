"""Views that show everything of a request in their answer, and answers of every kind."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator, Iterator

from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotModified,
    HttpResponsePermanentRedirect,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.urls import path
from django.views.decorators.http import etag, require_http_methods

from tests.project.models import Item


def _seen(request: HttpRequest) -> dict[str, object]:
    return {
        "method": request.method,
        "path": request.path,
        "full_path": request.get_full_path(),
        "query": {key: request.GET.getlist(key) for key in request.GET},
        "form": {key: request.POST.getlist(key) for key in request.POST},
        "files": {key: hashlib.sha1(file.read()).hexdigest() for key, file in request.FILES.items()},
        "cookies": dict(request.COOKIES),
        "headers": {key: str(value) for key, value in request.headers.items()},
        "scheme": request.scheme,
        "encoding": request.encoding,
    }


def echo(request: HttpRequest, **captured: object) -> HttpResponse:
    return JsonResponse({**_seen(request), "captured": {key: str(value) for key, value in captured.items()}})


async def echo_async(request: HttpRequest, **captured: object) -> HttpResponse:
    await asyncio.sleep(0)
    return JsonResponse({**_seen(request), "captured": {key: str(value) for key, value in captured.items()}})


def body(request: HttpRequest) -> HttpResponse:
    """Reads a part as a stream, the rest at once."""
    first = request.read(3)
    return HttpResponse(first + request.read(), content_type="application/octet-stream")


def stream(request: HttpRequest) -> StreamingHttpResponse:
    def pieces() -> Iterator[bytes]:
        yield b"one "
        yield str(Item.objects.count()).encode()
        yield request.get_full_path().encode()

    return StreamingHttpResponse(pieces(), content_type="text/plain")


async def stream_async(request: HttpRequest) -> StreamingHttpResponse:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"one "
        await asyncio.sleep(0)
        yield request.get_full_path().encode()

    return StreamingHttpResponse(pieces(), headers={"X-Kind": "async"})


def stream_that_breaks(request: HttpRequest) -> StreamingHttpResponse:
    def pieces() -> Iterator[bytes]:
        yield b"one "
        raise ZeroDivisionError("in the middle")

    return StreamingHttpResponse(pieces())


def file(request: HttpRequest) -> FileResponse:
    return FileResponse(io.BytesIO(b"%PDF" + bytes(range(256)) * 40), as_attachment=True, filename='über "x".pdf')


@etag(lambda request: hashlib.sha1(request.get_full_path().encode()).hexdigest())
def conditional(request: HttpRequest) -> HttpResponse:
    return HttpResponse("fresh")


def redirect(request: HttpRequest) -> HttpResponse:
    return HttpResponseRedirect(f"/echo/ü?next={request.GET.get('next', '')[:50]}")


def cookies(request: HttpRequest) -> HttpResponse:
    response = HttpResponse("ok")
    for key, value in request.COOKIES.items():
        response.set_cookie("seen", f"{len(key)}-{len(value)}", httponly=True, samesite="Lax")
    response.set_cookie("theme", "dark", secure=True)
    response.delete_cookie("old")
    return response


def status(request: HttpRequest, code: int) -> HttpResponse:
    return HttpResponse("" if code in (204, 304) else f"said {code}", status=code, reason="As Asked")


ERRORS = {
    "missing": Http404("nothing"),
    "forbidden": PermissionDenied("no"),
    "suspicious": SuspiciousOperation("odd"),
    "bad": BadRequest("odd"),
    "large": RequestDataTooBig("large"),
    "error": ValueError("password=hunter2"),
    "exit": SystemExit(3),
}


def raises(request: HttpRequest, kind: str) -> HttpResponse:
    raise ERRORS.get(kind, LookupError(kind))


async def raises_async(request: HttpRequest, kind: str) -> HttpResponse:
    raise ERRORS.get(kind, LookupError(kind))


def nothing(request: HttpRequest) -> HttpResponse:
    return None  # type: ignore[return-value]  # what a view may forget


def headers(request: HttpRequest) -> HttpResponse:
    response = HttpResponse(b"\xff\x00", content_type="application/x-odd; a=b", headers={"X-Odd": "ü", "Server-Timing": "db;dur=1"})
    response["Vary"] = "Accept-Encoding"
    return response


@require_http_methods(["GET", "HEAD"])
def only_get(request: HttpRequest) -> HttpResponse:
    return HttpResponse("got")


urlpatterns = [
    path("echo/", echo),
    path("echo/<path:rest>", echo),
    path("async/echo/<path:rest>", echo_async),
    path("body", body),
    path("stream", stream),
    path("async/stream", stream_async),
    path("breaks", stream_that_breaks),
    path("file", file),
    path("conditional", conditional),
    path("moved", lambda request: HttpResponsePermanentRedirect("/echo/")),
    path("not-modified", lambda request: HttpResponseNotModified()),
    path("redirect", redirect),
    path("cookies", cookies),
    path("status/<int:code>", status),
    path("raises/<str:kind>", raises),
    path("async/raises/<str:kind>", raises_async),
    path("nothing", nothing),
    path("headers", headers),
    path("only-get", only_get),
    path("slash/", echo),
]
