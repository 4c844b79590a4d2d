"""WSGI entry of the gateway service: ``gunicorn otelkit_demo.gateway.wsgi``."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "otelkit_demo.gateway.settings")
application = get_wsgi_application()
