"""WSGI entry of the payments service: ``gunicorn otelkit_demo.payments.wsgi``."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "otelkit_demo.payments.settings")
application = get_wsgi_application()
