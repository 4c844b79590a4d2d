"""Settings of the inventory service. What differs between laptop and compose comes from the environment; code does not."""

from __future__ import annotations

import os
from typing import Any

from otelkit_demo.chassis.databases import database
from otelkit_demo.chassis.defaults import *  # noqa: F403 - what every service of the shop has alike

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
