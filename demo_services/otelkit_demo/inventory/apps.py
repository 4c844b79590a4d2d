"""The Django app of the inventory service."""

from django.apps import AppConfig


class InventoryConfig(AppConfig):
    name = "otelkit_demo.inventory"
    label = "inventory"
    default_auto_field = "django.db.models.BigAutoField"
