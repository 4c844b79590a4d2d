"""ASGI entry of the inventory service: ``uvicorn otelkit_demo.inventory.asgi:application``."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "otelkit_demo.inventory.settings")
application = get_asgi_application()
