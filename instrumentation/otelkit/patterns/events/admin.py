"""Both boxes in Django's admin, to be looked at. What is to be done with them, the commands do."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from otelkit.patterns.events.models import InboxEvent, OutboxEvent


class _ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the type checker alone
    list_filter = ("state", "destination")
    search_fields = ("event_id", "aggregate")
    show_full_result_count = False  # the tables are long
    ordering = ("-id",)

    def has_add_permission(self, *_: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002  (Django's signature)
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False


@admin.register(OutboxEvent)
class OutboxAdmin(_ReadOnly):
    """Outgoing events."""

    list_display = ("id", "type", "destination", "aggregate", "position", "state", "attempts", "created_at", "published_at", "error")


@admin.register(InboxEvent)
class InboxAdmin(_ReadOnly):
    """Incoming events."""

    list_display = ("id", "consumer", "event_id", "destination", "aggregate", "position", "state", "attempts", "received_at", "error")
