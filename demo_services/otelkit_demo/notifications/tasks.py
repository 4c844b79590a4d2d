"""What the worker of notifications does: sends what was stored, and counts what was not."""

from __future__ import annotations

import structlog
from celery import shared_task
from django.utils import timezone

from otelkit_demo.notifications.models import Notification

log = structlog.get_logger(__name__)


@shared_task(ignore_result=True)  # type: ignore[untyped-decorator]  # Celery has no types
def send(number: int) -> None:
    """Sends one notification, once. Where to is made up: the line says so."""
    sent = Notification.objects.filter(pk=number, sent_at=None).update(sent_at=timezone.now())
    log.info("notification sent" if sent else "notification was sent before", notification_id=number)


@shared_task(ignore_result=True)  # type: ignore[untyped-decorator]  # Celery has no types
def digest() -> None:
    """Every half minute: how many were stored, and how many still wait."""
    waiting = Notification.objects.filter(sent_at=None).count()
    log.info("digest", stored=Notification.objects.count(), waiting=waiting)
