"""Settings of the notifications service. What differs between laptop and compose comes from the environment; code does not."""

from __future__ import annotations

import os
from typing import Any

from otelkit_demo.chassis.databases import database
from otelkit_demo.chassis.defaults import *  # noqa: F403 - what every service of the shop has alike

INSTALLED_APPS = [
    "otelkit",  # this line is the instrumentation
    "otelkit_demo.notifications",
]
OTELKIT: dict[str, Any] = {
    "service": {"name": "notifications", "namespace": "shop", "version": "1.0.0", "owner": "engagement", "criticality": "low"},
}

MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "otelkit_demo.notifications.urls"
ASGI_APPLICATION = "otelkit_demo.notifications.asgi.application"
DATABASES = {"default": database(os.environ.get("DATABASE_URL", "sqlite:///notifications.sqlite3"), keep_seconds=0)}
