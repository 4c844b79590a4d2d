"""Settings of the orders service. What differs between laptop and compose comes from the environment; code does not."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

from otelkit_demo.chassis.databases import database
from otelkit_demo.chassis.defaults import *  # noqa: F403 - what every service of the shop has alike

INVENTORY_URL = os.environ.get("INVENTORY_URL", "http://127.0.0.1:8002")

INSTALLED_APPS = [
    "otelkit",  # this line is the instrumentation
    "otelkit_demo.orders",
]
OTELKIT: dict[str, Any] = {
    "service": {"name": "orders", "namespace": "shop", "version": "1.0.0", "owner": "checkout", "criticality": "critical"},
    # Spans of outbound calls name the service behind the address.
    "clients": {"peers": {urlsplit(INVENTORY_URL).netloc: "inventory"}},
}

MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "otelkit_demo.orders.urls"
WSGI_APPLICATION = "otelkit_demo.orders.wsgi.application"
DATABASES = {"default": database(os.environ.get("DATABASE_URL", "sqlite:///orders.sqlite3"), keep_seconds=60)}
