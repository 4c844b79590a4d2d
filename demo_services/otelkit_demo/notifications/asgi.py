"""ASGI entry of the notifications service: ``uvicorn otelkit_demo.notifications.asgi:application``."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "otelkit_demo.notifications.settings")
application = get_asgi_application()
