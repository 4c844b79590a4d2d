"""Views in pairs, sync and async, and what a test wants to know from inside a worker."""

import asyncio
import os
import time
import weakref
from importlib import import_module

import asgiref.sync
from django.core.handlers.base import BaseHandler
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from opentelemetry import trace

from otelkit import startup

if module := os.environ.get("SHOP_IMPORTS"):
    import_module(module)  # a file that the test may touch

_hops: weakref.WeakKeyDictionary[asyncio.Task[object], int] = weakref.WeakKeyDictionary()
_original = asgiref.sync.SyncToAsync.__call__


def _counted(self, *args, **kwargs):
    task = asyncio.current_task()
    _hops[task] = _hops.get(task, 0) + 1
    return _original(self, *args, **kwargs)


asgiref.sync.SyncToAsync.__call__ = _counted

_get_response = BaseHandler.get_response_async


async def _counting_from_here(self: BaseHandler, request: HttpRequest) -> HttpResponse:
    # What Django's handler sends before, like request_started, is not on the way through the middlewares; since 6.1 it is the same task.
    _hops[asyncio.current_task()] = 0
    return await _get_response(self, request)


BaseHandler.get_response_async = _counting_from_here


def hello(request: HttpRequest) -> HttpResponse:
    return HttpResponse("hello")


def work(request: HttpRequest) -> HttpResponse:
    """Takes its time, so that requests overlap."""
    time.sleep(0.02)
    return HttpResponse("done")


async def async_work(request: HttpRequest) -> HttpResponse:
    await asyncio.sleep(0.02)
    return HttpResponse("done")


def own_trace(request: HttpRequest) -> HttpResponse:
    """The trace that is current after others have run."""
    time.sleep(0.01)
    return HttpResponse(f"{trace.get_current_span().get_span_context().trace_id:032x}")


async def async_own_trace(request: HttpRequest) -> HttpResponse:
    await asyncio.sleep(0.01)
    return HttpResponse(f"{trace.get_current_span().get_span_context().trace_id:032x}")


async def async_hops(request: HttpRequest) -> HttpResponse:
    """How often this request has gone to a thread on its way here."""
    return HttpResponse(str(_hops.get(asyncio.current_task(), 0)))


async def async_hop(request: HttpRequest) -> HttpResponse:
    """The same with one more, to show that it is counted."""
    await asgiref.sync.sync_to_async(lambda: None)()
    return await async_hops(request)


def worker(request: HttpRequest) -> HttpResponse:
    """Who answers."""
    runtime = startup.current()
    slot = runtime.slot if runtime else None
    return JsonResponse({"pid": os.getpid(), "slot": slot.number if slot else None})


def query(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("one")


urlpatterns = [
    path("hello", hello),
    path("work", work),
    path("async/work", async_work),
    path("trace", own_trace),
    path("async/trace", async_own_trace),
    path("async/hops", async_hops),
    path("async/hop", async_hop),
    path("worker", worker),
    path("query", query),
]
