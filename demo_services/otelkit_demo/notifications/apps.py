"""The Django app of the notifications service."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "otelkit_demo.notifications"
    label = "notifications"
    default_auto_field = "django.db.models.BigAutoField"
