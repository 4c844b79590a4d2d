"""Middleware that a project might have."""

from __future__ import annotations

import asyncio
import time

from django.http import HttpResponse, HttpResponseRedirect
from django.utils.decorators import sync_and_async_middleware


@sync_and_async_middleware
def slow(get_response):
    """Takes its time before the view."""
    if asyncio.iscoroutinefunction(get_response):

        async def answer_async(request):
            await asyncio.sleep(0.03)
            return await get_response(request)

        return answer_async

    def answer(request):
        time.sleep(0.03)
        return get_response(request)

    return answer


def breaks(get_response):
    """Raises before the view."""

    def answer(request):
        raise RuntimeError("before the view")

    return answer


def at_work(get_response):
    """Answers everything itself, as a maintenance mode does."""

    def answer(request):
        return HttpResponse("back soon", status=503)

    return answer


def login_required(get_response):
    """Sends everybody to the login page."""

    def answer(request):
        return HttpResponseRedirect("/login/")

    return answer
