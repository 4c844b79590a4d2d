"""One view that puts a task into the queue."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, JsonResponse
from django.urls import URLPattern, path

from tests.instrumentation.libraries.celery_shop import tasks


def order(request: HttpRequest, name: str) -> JsonResponse:
    sent: Any = getattr(tasks, name).delay()
    return JsonResponse({"task": sent.id})


urlpatterns: list[URLPattern] = [path("orders/<str:name>", order)]
