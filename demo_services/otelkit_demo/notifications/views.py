"""What notifications can be asked: the newest ones, and a stream of those to come. The stream is async: it waits without a thread."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from otelkit_demo.chassis.problems import Resource
from otelkit_demo.notifications.models import Notification
from otelkit_demo.notifications.serializers import NotificationOut, Notifications, Question

NEWEST = 20
LOOK_EVERY = 1.0
STREAM_SECONDS = 300.0
"""After that a browser asks again, by itself, and says what it had last."""


class Newest(APIView):
    """``GET /api/notifications?order=``."""

    @extend_schema(parameters=[Question], responses=Notifications, operation_id="list_notifications")
    def get(self, request: Request) -> Response:
        """The newest notifications, at most ``NEWEST`` of them."""
        asked = Question(data=request.query_params)
        asked.is_valid(raise_exception=True)
        found = Notification.objects.filter(**asked.validated_data)[:NEWEST]
        return Response({"notifications": NotificationOut(found, many=True).data})


class Stream(Resource):
    """``GET /stream``: server-sent events, for the gateway's page."""

    async def get(self, request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
        """Each notification from now on, or from the one after ``Last-Event-ID``."""
        last = request.headers.get("Last-Event-ID", "")
        after = int(last) if last.isascii() and last.isdigit() and len(last) < 19 else await _last()
        response = StreamingHttpResponse(_stream(after), content_type="text/event-stream")
        response["Cache-Control"] = "no-store"
        response["Access-Control-Allow-Origin"] = _origin(request)
        return response


async def _stream(after: int) -> AsyncIterator[str]:
    yield ": here\n\n"
    loop = asyncio.get_running_loop()
    until = loop.time() + STREAM_SECONDS
    while loop.time() < until:
        async for one in Notification.objects.filter(pk__gt=after).order_by("pk")[:NEWEST]:
            after = one.pk
            told = {"event": one.event, "order": str(one.order), "text": one.text}
            yield f"id: {one.pk}\ndata: {json.dumps(told)}\n\n"
        await asyncio.sleep(LOOK_EVERY)


async def _last() -> int:
    newest = await Notification.objects.afirst()
    return newest.pk if newest else 0


def _origin(request: HttpRequest) -> str:
    configured: Any = settings
    asked = request.headers.get("Origin", "")
    return asked if asked in configured.PAGE_ORIGINS else configured.PAGE_ORIGINS[0]
