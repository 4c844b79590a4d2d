import asyncio
import logging
import threading
import time

import httpx
import structlog
from django.core.cache import cache
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views import View
from opentelemetry import propagate, trace

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


class ClassBased(View):
    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return HttpResponse("ok")

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        return HttpResponse("ok")


class CallableView:
    __hash__ = None  # type: ignore[assignment]  # no key of a dictionary, as a careless __eq__ makes it

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("ok")


class Slow:
    """Takes its time when a template shows it, and asks the database."""

    def __str__(self) -> str:
        time.sleep(0.02)
        return str(Item.objects.count())


def template(request: HttpRequest) -> HttpResponse:
    time.sleep(0.03)
    return render(request, "items.html", {"items": Item.objects.all(), "slow": Slow()})


def cached(request: HttpRequest) -> HttpResponse:
    """Three values that the cache has, two that it has not."""
    name = f"tests-{threading.get_ident()}"
    cache.delete_many([f"{name}-tea", f"{name}-milk"])
    cache.get_or_set(f"{name}-tea", lambda: "tea" if Item.objects.count() >= 0 else "")
    cache.get_many([f"{name}-tea", f"{name}-milk"])
    cache.has_key(f"{name}-tea")
    return HttpResponse(cache.get(f"{name}-tea"))


def who(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(request.user.pk))  # type: ignore[attr-defined]


async def async_who(request: HttpRequest) -> HttpResponse:
    user = await request.auser()  # type: ignore[attr-defined]
    return HttpResponse(str(user.pk))


def generator_exits(request: HttpRequest) -> HttpResponse:
    raise GeneratorExit


async def async_cancelled(request: HttpRequest) -> HttpResponse:
    raise asyncio.CancelledError


reached = threading.Event()
"""Set by the views that wait for their client to leave, once they wait."""
left = threading.Event()
"""Set by them when they were told that it left."""


async def async_waits(request: HttpRequest) -> HttpResponse:
    reached.set()
    try:
        await asyncio.sleep(30)  # longer than any test: the client leaves before
    finally:
        left.set()
    return HttpResponse("nobody reads this")


async def async_drips(request: HttpRequest) -> StreamingHttpResponse:
    async def pieces():
        yield b"first "
        reached.set()
        try:
            await asyncio.sleep(30)
        finally:
            left.set()

    return StreamingHttpResponse(pieces())


def headers(request: HttpRequest) -> HttpResponse:
    """What this service would send on to the next one."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return JsonResponse(carrier)


def says_headers(request: HttpRequest) -> HttpResponse:
    """Has timings of its own, and is read by scripts of other origins."""
    own = {"Server-Timing": "db;dur=3", "Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "X-Total"}
    return HttpResponse("ok", headers=own)
