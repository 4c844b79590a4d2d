"""Settings that every service of the shop has alike."""

from __future__ import annotations

import os

from django.core.management.utils import get_random_secret_key

# httpx logs a line for each call; the span of the call says the same and more.
LOGGING = {"version": 1, "disable_existing_loggers": False, "loggers": {"httpx": {"level": "WARNING"}}}

DEBUG = False
# Where nobody gives a key, each process makes one up: sessions then hold for one process only.
SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY") or get_random_secret_key()
ALLOWED_HOSTS = os.environ.get("DJANGO_ALLOWED_HOSTS", "127.0.0.1,localhost").split(",")
APPEND_SLASH = False
USE_TZ = True
TIME_ZONE = "UTC"
