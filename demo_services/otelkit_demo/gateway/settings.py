"""Settings of the gateway service. What differs between laptop and compose comes from the environment; code does not."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

from otelkit_demo.chassis.api_settings import rest_framework, spectacular
from otelkit_demo.chassis.databases import database
from otelkit_demo.chassis.defaults import *  # noqa: F403 - what every service of the shop has alike
from otelkit_demo.chassis.version import VERSION

SERVICE_NAME = "gateway"
NEIGHBOURS = {
    "catalog": os.environ.get("CATALOG_URL", "http://127.0.0.1:8003"),
    "orders": os.environ.get("ORDERS_URL", "http://127.0.0.1:8001"),
    "inventory": os.environ.get("INVENTORY_URL", "http://127.0.0.1:8002"),
    "payments": os.environ.get("PAYMENTS_URL", "http://127.0.0.1:8004"),
    "notifications": os.environ.get("NOTIFICATIONS_URL", "http://127.0.0.1:8005"),
}
STREAM_URL = os.environ.get("STREAM_URL", NEIGHBOURS["notifications"])
"""Where a browser finds notifications, whose stream the page follows: not where the gateway does, if each sees another network."""

INSTALLED_APPS = [
    "otelkit",  # this line is the instrumentation
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "rest_framework",
    "drf_spectacular",
    "otelkit_demo.gateway",
]
OTELKIT: dict[str, Any] = {
    "service": {"name": SERVICE_NAME, "namespace": "shop", "version": VERSION, "owner": "storefront", "criticality": "critical"},
    # Spans of outbound calls name the service behind the address.
    "clients": {"peers": {urlsplit(address).netloc: name for name, address in NEIGHBOURS.items()}},
}

MIDDLEWARE = [
    "otelkit_demo.chassis.middleware.Shedding",
    "otelkit_demo.chassis.middleware.Deadlines",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "otelkit_demo.gateway.middleware.Versions",
    "otelkit_demo.chassis.contract.Contract",
]
ROOT_URLCONF = "otelkit_demo.gateway.urls"
WSGI_APPLICATION = "otelkit_demo.gateway.wsgi.application"
DATABASES = {"default": database(os.environ.get("DATABASE_URL", "sqlite:///gateway.sqlite3"), keep_seconds=60)}
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]

# Browsers show a session, not a token.
REST_FRAMEWORK = {
    **rest_framework(),
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.AllowAny"],
    "DEFAULT_THROTTLE_RATES": {"caller": "600/second", "login": "20/second"},
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = spectacular("The shop's gateway", "1.0.0")

PASSWORD_HASHERS = ["otelkit_demo.gateway.hashers.QuickScrypt"]
SESSION_COOKIE_SAMESITE = "Strict"
CSRF_FAILURE_VIEW = "otelkit_demo.gateway.views.csrf_failed"
