"""WSGI entry of the inventory service: ``gunicorn otelkit_demo.inventory.wsgi``."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "otelkit_demo.inventory.settings")
application = get_wsgi_application()
