"""Settings of the payments service. What differs between laptop and compose comes from the environment; code does not."""

from __future__ import annotations

import os
from typing import Any

from otelkit_demo.chassis.databases import database
from otelkit_demo.chassis.defaults import *  # noqa: F403 - what every service of the shop has alike

INSTALLED_APPS = [
    "otelkit",  # this line is the instrumentation
    "otelkit_demo.payments",
]
OTELKIT: dict[str, Any] = {
    "service": {"name": "payments", "namespace": "shop", "version": "1.0.0", "owner": "billing", "criticality": "critical"},
}

MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "otelkit_demo.payments.urls"
WSGI_APPLICATION = "otelkit_demo.payments.wsgi.application"
DATABASES = {"default": database(os.environ.get("DATABASE_URL", "sqlite:///payments.sqlite3"), keep_seconds=60)}
