"""WSGI entry of the catalog service: ``gunicorn otelkit_demo.catalog.wsgi``."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "otelkit_demo.catalog.settings")
application = get_wsgi_application()
