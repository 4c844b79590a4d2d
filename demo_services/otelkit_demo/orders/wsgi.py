"""WSGI entry of the orders service: ``gunicorn otelkit_demo.orders.wsgi``."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "otelkit_demo.orders.settings")
application = get_wsgi_application()
