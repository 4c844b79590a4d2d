"""What is measured: Django as ``startproject`` makes it, and requests to it as gunicorn would hand them in."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path

SETTINGS: dict[str, Any] = {
    "ALLOWED_HOSTS": ["shop.example", "127.0.0.1"],
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


def ten_queries(request: HttpRequest, pk: int) -> HttpResponse:
    """Answers after ten different queries by the ORM, as a page of a shop does."""
    from django.contrib.auth.models import Group

    groups = Group.objects
    list(groups.all())
    groups.count()
    groups.filter(pk=pk).first()
    groups.filter(name="staff").exists()
    list(groups.values_list("name"))
    list(groups.order_by("-name")[:5])
    groups.filter(name__startswith="b").count()
    list(groups.exclude(name="guests"))
    groups.filter(pk__in=[1, 2, 3]).count()
    groups.filter(name="nobody").update(name="somebody")
    return HttpResponse("ok")


def eleven_queries(request: HttpRequest, pk: int) -> HttpResponse:
    """Answers after 1 + 10 queries: the mistake that is called N+1."""
    from django.contrib.auth.models import Group

    list(Group.objects.all())
    for number in range(10):
        Group.objects.filter(pk=number).first()
    return HttpResponse("ok")


urlpatterns = [path("items/<int:pk>", ok), path("pages/<int:pk>", ten_queries), path("lists/<int:pk>", eleven_queries)]


def make_tables() -> None:
    """The one table that the queries read, empty, in the memory of this thread's connection."""
    from django.contrib.auth.models import Group
    from django.db import connection

    with connection.schema_editor() as editor:
        editor.create_model(Group)


_ENVIRON = {
    "REQUEST_METHOD": "GET",
    "SCRIPT_NAME": "",
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


def request_once(application: Callable[..., Any], url: str) -> None:
    """One request through a WSGI application. Raises RuntimeError unless it is answered as it should be."""
    statuses = []
    environ = {**_ENVIRON, "PATH_INFO": url, "RAW_URI": f"{url}?colour=red", "wsgi.input": io.BytesIO()}
    response = application(environ, lambda status, headers, *_: statuses.append(status))
    try:
        body = b"".join(response)
    finally:
        response.close()
    if (statuses, body) != (["200 OK"], b"ok"):
        raise RuntimeError(f"The measured request was answered {statuses} {body[:200]!r}.")
