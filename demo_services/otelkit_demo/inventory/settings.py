"""Settings of the inventory service. What differs between laptop and compose comes from the environment; code does not."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

from otelkit_demo.chassis.api_settings import rest_framework, spectacular
from otelkit_demo.chassis.databases import database
from otelkit_demo.chassis.defaults import *  # noqa: F403 - what every service of the shop has alike
from otelkit_demo.chassis.version import VERSION

SERVICE_NAME = "inventory"
GATEWAY_URL = os.environ.get("GATEWAY_URL", "http://127.0.0.1:8000")

INSTALLED_APPS = [
    "otelkit",  # this line is the instrumentation
    "rest_framework",
    "drf_spectacular",
    "otelkit_demo.inventory",
]
OTELKIT: dict[str, Any] = {
    "service": {"name": SERVICE_NAME, "namespace": "shop", "version": VERSION, "owner": "warehouse", "criticality": "high"},
    # Spans of outbound calls name the service behind the address.
    "clients": {"peers": {urlsplit(GATEWAY_URL).netloc: "gateway"}},
}

MIDDLEWARE = [
    "otelkit_demo.chassis.middleware.Shedding",
    "otelkit_demo.chassis.middleware.Deadlines",
    "django.middleware.common.CommonMiddleware",
    "otelkit_demo.chassis.contract.Contract",
]
ROOT_URLCONF = "otelkit_demo.inventory.urls"
WSGI_APPLICATION = "otelkit_demo.inventory.wsgi.application"
DATABASES = {"default": database(os.environ.get("DATABASE_URL", "sqlite:///inventory.sqlite3"), keep_seconds=60)}

REST_FRAMEWORK = rest_framework()
SPECTACULAR_SETTINGS = spectacular("Inventory of the shop", "1.0.0")
