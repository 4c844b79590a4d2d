import asyncio
import logging
import threading
import time

import httpx
import structlog
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from opentelemetry import trace

from tests.project.models import Item

logger = logging.getLogger("tests.project")


def ok(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
    return HttpResponse("ok")


async def async_ok(request: HttpRequest, pk: int) -> HttpResponse:
    return JsonResponse({"thread": threading.get_ident()})


class Boom(Exception):  # noqa: N818  (what a view might raise)
    pass


def boom(request: HttpRequest) -> HttpResponse:
    secret = "hunter" + str(2)  # not in one piece: a stack shows the source line
    raise Boom(f"it holds password={secret}")


async def async_boom(request: HttpRequest) -> HttpResponse:
    raise Boom("async")


def missing(request: HttpRequest) -> HttpResponse:
    raise Http404("nothing here")


def forbidden(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied


def suspicious(request: HttpRequest) -> HttpResponse:
    raise SuspiciousOperation("odd")


def fails(request: HttpRequest) -> HttpResponse:
    return HttpResponse("no", status=503)


def exits(request: HttpRequest) -> HttpResponse:
    raise SystemExit(3)


def stream(request: HttpRequest) -> StreamingHttpResponse:
    def pieces():
        for number in range(3):
            with trace.get_tracer("tests").start_as_current_span(f"piece {number}"):
                time.sleep(0.1)  # the body takes this long: it is what the test measures
            yield b"x"

    return StreamingHttpResponse(pieces())


async def async_stream(request: HttpRequest) -> StreamingHttpResponse:
    async def pieces():
        for number in range(3):
            with trace.get_tracer("tests").start_as_current_span(f"piece {number}"):
                await asyncio.sleep(0.1)
            yield b"x"

    return StreamingHttpResponse(pieces())


def queries(request: HttpRequest, times: int) -> HttpResponse:
    Item.objects.count()
    for pk in range(times):
        Item.objects.filter(pk=pk).first()
    return HttpResponse("ok")


async def async_n_plus_one(request: HttpRequest, times: int) -> HttpResponse:
    await Item.objects.acount()
    for pk in range(times):
        await Item.objects.filter(pk=pk).afirst()
    return HttpResponse("ok")


def literal(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM project_item WHERE name = 'hunter2' AND id = 4111111111111111")
    return HttpResponse("ok")


async def async_queries(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"items": await Item.objects.acount()})


def logs(request: HttpRequest) -> HttpResponse:
    logger.info("from stdlib", extra={"road": "stdlib"})
    structlog.get_logger("tests.project").info("from structlog", road="structlog")
    return HttpResponse("ok")


def queries_in_probe(request: HttpRequest) -> HttpResponse:
    Item.objects.count()
    with trace.get_tracer("tests").start_as_current_span("in a probe"):
        pass
    return HttpResponse("ok")


def threads(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"trace_id": f"{trace.get_current_span().get_span_context().trace_id:032x}", "asked": request.GET["asked"]})


def call(request: HttpRequest) -> HttpResponse:
    return HttpResponse(httpx.get(request.GET["url"], timeout=2).text)
