"""The Django app of the catalog service."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "otelkit_demo.catalog"
    label = "catalog"
    default_auto_field = "django.db.models.BigAutoField"
