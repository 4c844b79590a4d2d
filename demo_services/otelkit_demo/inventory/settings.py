"""Settings of the inventory service. What differs between laptop and compose comes from the environment; code does not."""

from __future__ import annotations

import os
from typing import Any

from django.core.management.utils import get_random_secret_key

from otelkit_demo.chassis.databases import database

INSTALLED_APPS = [
    "otelkit",  # this line is the instrumentation
    "otelkit_demo.inventory",
]
OTELKIT: dict[str, Any] = {
    "service": {"name": "inventory", "namespace": "shop", "version": "1.0.0", "owner": "warehouse", "criticality": "high"},
}

MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "otelkit_demo.inventory.urls"
ASGI_APPLICATION = "otelkit_demo.inventory.asgi.application"
# Connections are not kept: the threads that an async service queries from come and go with its requests.
DATABASES = {"default": database(os.environ.get("DATABASE_URL", "sqlite:///inventory.sqlite3"), keep_seconds=0)}

DEBUG = False
# Nothing is signed here, so a key that each process makes up will do where none is given.
SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY") or get_random_secret_key()
ALLOWED_HOSTS = os.environ.get("DJANGO_ALLOWED_HOSTS", "127.0.0.1,localhost").split(",")
APPEND_SLASH = False
USE_TZ = True
TIME_ZONE = "UTC"
