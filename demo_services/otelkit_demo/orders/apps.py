"""The Django app of the orders service."""

from django.apps import AppConfig


class OrdersConfig(AppConfig):
    name = "otelkit_demo.orders"
    label = "orders"
    default_auto_field = "django.db.models.BigAutoField"
