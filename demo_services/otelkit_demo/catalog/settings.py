"""Settings of the catalog service. What differs between laptop and compose comes from the environment; code does not."""

from __future__ import annotations

import os
from typing import Any

from otelkit_demo.chassis.databases import database
from otelkit_demo.chassis.defaults import *  # noqa: F403 - what every service of the shop has alike

INSTALLED_APPS = [
    "otelkit",  # this line is the instrumentation
    "otelkit_demo.catalog",
]
OTELKIT: dict[str, Any] = {
    "service": {"name": "catalog", "namespace": "shop", "version": "1.0.0", "owner": "storefront", "criticality": "high"},
}

MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "otelkit_demo.catalog.urls"
WSGI_APPLICATION = "otelkit_demo.catalog.wsgi.application"
DATABASES = {"default": database(os.environ.get("DATABASE_URL", "sqlite:///catalog.sqlite3"), keep_seconds=60)}
