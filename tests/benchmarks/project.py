"""What is measured: Django as ``startproject`` makes it, one view that does nothing, and one request to it as gunicorn would hand it in."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path

SETTINGS: dict[str, Any] = {
    "ALLOWED_HOSTS": ["shop.example"],
    "DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
    "INSTALLED_APPS": ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "django.contrib.messages"],
    "MIDDLEWARE": [
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    "ROOT_URLCONF": __name__,
    "SECRET_KEY": "only for measuring",
    "USE_TZ": True,
}


def ok(request: HttpRequest, pk: int) -> HttpResponse:
    """Answers at once."""
    return HttpResponse("ok")


urlpatterns = [path("items/<int:pk>", ok)]

_ENVIRON = {
    "REQUEST_METHOD": "GET",
    "SCRIPT_NAME": "",
    "PATH_INFO": "/items/7",
    "RAW_URI": "/items/7?colour=red",
    "QUERY_STRING": "colour=red",
    "SERVER_NAME": "127.0.0.1",
    "SERVER_PORT": "8000",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "REMOTE_ADDR": "127.0.0.1",
    "REMOTE_PORT": "41000",
    "HTTP_HOST": "shop.example",
    "HTTP_ACCEPT": "*/*",
    "HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "wsgi.version": (1, 0),
    "wsgi.url_scheme": "http",
    "wsgi.multithread": True,
    "wsgi.multiprocess": False,
    "wsgi.run_once": False,
    "wsgi.errors": io.StringIO(),
}


def request_once(application: Callable[..., Any]) -> None:
    """One request through a WSGI application. Raises RuntimeError unless it is answered as it should be."""
    statuses = []
    response = application({**_ENVIRON, "wsgi.input": io.BytesIO()}, lambda status, headers, *_: statuses.append(status))
    try:
        body = b"".join(response)
    finally:
        response.close()
    if (statuses, body) != (["200 OK"], b"ok"):
        raise RuntimeError(f"The measured request was answered {statuses} {body[:200]!r}.")
