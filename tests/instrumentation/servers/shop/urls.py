"""One sync view and one async view, and what a test wants to know from inside a worker."""

import asyncio
import os
import threading
import time

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

from otelkit import startup


def hello(request: HttpRequest) -> HttpResponse:
    return HttpResponse("hello")


async def async_hello(request: HttpRequest) -> HttpResponse:
    return HttpResponse("hello")


def work(request: HttpRequest) -> HttpResponse:
    """Takes its time, so that requests overlap."""
    time.sleep(0.02)
    return HttpResponse("done")


async def async_work(request: HttpRequest) -> HttpResponse:
    await asyncio.sleep(0.02)
    return HttpResponse("done")


def worker(request: HttpRequest) -> HttpResponse:
    """Who answers."""
    runtime = startup.current()
    slot = runtime.slot if runtime else None
    return JsonResponse(
        {
            "pid": os.getpid(),
            "slot": slot.number if slot else None,
            "threads": sorted(thread.name for thread in threading.enumerate()),
            "system_threads": len(os.listdir("/proc/self/task")) if os.path.exists("/proc/self/task") else None,
        }
    )


urlpatterns = [
    path("hello", hello),
    path("async/hello", async_hello),
    path("work", work),
    path("async/work", async_work),
    path("worker", worker),
]
