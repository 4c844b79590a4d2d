"""The URLs of a service that takes orders."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path

from otelkit.patterns.events import publish
from tests.project.models import Item


@transaction.atomic
def place(request: HttpRequest, number: int) -> HttpResponse:
    """Stores an order, and that it was stored."""
    Item.objects.create(name=f"order {number}")
    publish("order.placed", {"order": number}, destination="orders", aggregate=f"order-{number}", source="orders")
    return HttpResponse(status=201)


urlpatterns = [path("orders/<int:number>", place)]
