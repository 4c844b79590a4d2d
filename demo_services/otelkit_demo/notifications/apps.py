"""The Django app of the notifications service."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "otelkit_demo.notifications"
    label = "notifications"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Makes the Celery app: who asks for a task must know the worker's broker."""
        from otelkit_demo.notifications import celery_app  # noqa: F401
