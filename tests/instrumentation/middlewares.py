"""Middleware that a project might have."""

from __future__ import annotations

import asyncio
import time

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
