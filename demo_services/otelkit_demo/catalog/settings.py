"""Settings of the catalog service. What differs between laptop and compose comes from the environment; code does not."""

from __future__ import annotations

import os
from typing import Any

from otelkit_demo.chassis.api_settings import rest_framework, spectacular
from otelkit_demo.chassis.databases import database
from otelkit_demo.chassis.defaults import *  # noqa: F403 - what every service of the shop has alike
from otelkit_demo.chassis.version import VERSION

SERVICE_NAME = "catalog"

INSTALLED_APPS = [
    "otelkit",  # this line is the instrumentation
    "rest_framework",
    "drf_spectacular",
    "otelkit_demo.catalog",
]
OTELKIT: dict[str, Any] = {
    "service": {"name": SERVICE_NAME, "namespace": "shop", "version": VERSION, "owner": "storefront", "criticality": "high"},
}

MIDDLEWARE = [
    "otelkit_demo.chassis.middleware.Shedding",
    "otelkit_demo.chassis.middleware.Deadlines",
    "django.middleware.common.CommonMiddleware",
    "otelkit_demo.catalog.disturbance.Disturbance",
    "otelkit_demo.chassis.contract.Contract",
]
ROOT_URLCONF = "otelkit_demo.catalog.urls"
WSGI_APPLICATION = "otelkit_demo.catalog.wsgi.application"
DATABASES = {"default": database(os.environ.get("DATABASE_URL", "sqlite:///catalog.sqlite3"), keep_seconds=60)}

CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "catalog"}}
CACHE_SECONDS = 30

REST_FRAMEWORK = rest_framework()
SPECTACULAR_SETTINGS = spectacular("Catalogue of the shop", "1.0.0")
