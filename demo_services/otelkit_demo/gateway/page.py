"""The page, and what it asks for every other second."""

from __future__ import annotations

from functools import cache
from typing import Any

import httpx
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from otelkit.patterns import resilience
from otelkit_demo.chassis.http import client
from otelkit_demo.gateway.neighbours import neighbour
from otelkit_demo.gateway.serializers import Status

PROBE_SECONDS = 0.5


@require_safe
@ensure_csrf_cookie
def page(request: HttpRequest) -> HttpResponse:
    """The shop, and how its services stand."""
    configured: Any = settings
    return render(request, "gateway/page.html", {"stream": f"{configured.STREAM_URL}/stream"})


class Standings(APIView):
    """``GET /api/status``."""

    @extend_schema(responses=Status, operation_id="read_status")
    def get(self, _request: Request) -> Response:
        """Which services are ready, and the worst state of the breakers that this process has in front of each."""
        configured: Any = settings
        found = [
            {"name": name, "ready": _is_ready(address), "breaker": neighbour(name).worst_breaker()}
            for name, address in configured.NEIGHBOURS.items()
        ]
        return Response({"services": found})


def _is_ready(address: str) -> bool:
    try:
        return _http(address).get("/readyz", timeout=resilience.timeout(PROBE_SECONDS)).is_success
    except httpx.HTTPError:
        return False


@cache
def _http(address: str) -> httpx.Client:
    return client(address)
