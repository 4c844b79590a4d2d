"""As small as a project can be. What is under test comes by the environment."""

import os

SECRET_KEY = "only for tests"
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "tests.instrumentation.servers.shop.urls"
INSTALLED_APPS = ["otelkit"]
MIDDLEWARE: list[str] = []
WSGI_APPLICATION = "tests.instrumentation.servers.shop.wsgi.application"
DATABASES = {}
if address := os.environ.get("SHOP_DATABASE"):
    host, _, port = address.partition(":")
    DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "shop", "HOST": host, "PORT": port}}
    if os.environ.get("SHOP_POOL"):
        DATABASES["default"]["OPTIONS"] = {"pool": {"min_size": 1, "timeout": 1}}
