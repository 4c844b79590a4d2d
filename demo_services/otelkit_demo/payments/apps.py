"""The Django app of the payments service."""

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "otelkit_demo.payments"
    label = "payments"
    default_auto_field = "django.db.models.BigAutoField"
