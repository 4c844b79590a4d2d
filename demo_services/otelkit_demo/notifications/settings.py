"""Settings of the notifications service. What differs between laptop and compose comes from the environment; code does not."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

from otelkit_demo.chassis.api_settings import rest_framework, spectacular
from otelkit_demo.chassis.databases import database
from otelkit_demo.chassis.defaults import *  # noqa: F403 - what every service of the shop has alike
from otelkit_demo.chassis.version import VERSION

SERVICE_NAME = "notifications"
GATEWAY_URL = os.environ.get("GATEWAY_URL", "http://127.0.0.1:8000")
_PORT = urlsplit(GATEWAY_URL).port or 80
PAGE_ORIGINS = os.environ.get("PAGE_ORIGINS", f"http://127.0.0.1:{_PORT},http://localhost:{_PORT}").split(",")
"""Where the page may come from that follows the stream."""

INSTALLED_APPS = [
    "otelkit",  # this line is the instrumentation
    "otelkit.patterns.events",
    "rest_framework",
    "drf_spectacular",
    "otelkit_demo.notifications",
]
OTELKIT: dict[str, Any] = {
    "service": {"name": SERVICE_NAME, "namespace": "shop", "version": VERSION, "owner": "engagement", "criticality": "low"},
}

MIDDLEWARE = [
    "otelkit_demo.chassis.middleware.Shedding",
    "otelkit_demo.chassis.middleware.Deadlines",
    "django.middleware.common.CommonMiddleware",
    "otelkit_demo.chassis.contract.Contract",
]
ROOT_URLCONF = "otelkit_demo.notifications.urls"
ASGI_APPLICATION = "otelkit_demo.notifications.asgi.application"
# Connections are not kept: the threads that an async service queries from come and go with its requests.
DATABASES = {"default": database(os.environ.get("DATABASE_URL", "sqlite:///notifications.sqlite3"), keep_seconds=0)}

REST_FRAMEWORK = rest_framework()
SPECTACULAR_SETTINGS = spectacular("Notifications of the shop", "1.0.0")
