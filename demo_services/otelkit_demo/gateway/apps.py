"""The Django app of the gateway service."""

from django.apps import AppConfig


class GatewayConfig(AppConfig):
    name = "otelkit_demo.gateway"
    label = "gateway"
    default_auto_field = "django.db.models.BigAutoField"
