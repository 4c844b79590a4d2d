"""What notifications answers."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from otelkit_demo.notifications.models import Notification


class NotificationOut(serializers.ModelSerializer[Notification]):
    """One notification."""

    class Meta:
        model = Notification
        fields = ("id", "event", "order", "text", "created_at", "sent_at")


class Notifications(serializers.Serializer[Any]):
    """The newest ones."""

    notifications = NotificationOut(many=True)


class Question(serializers.Serializer[Any]):
    """Of which order."""

    order = serializers.UUIDField(required=False)
