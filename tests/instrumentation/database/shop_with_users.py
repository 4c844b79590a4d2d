"""A project with sessions and users, as its own program: signs in, asks two views, prints what the kit saw of both as one JSON line."""

from __future__ import annotations

import json

import django
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path


def quiet(request: HttpRequest) -> HttpResponse:
    """Never reads the user."""
    return HttpResponse("ok")


def reads_user(request: HttpRequest) -> HttpResponse:
    """Reads it, so Django asks for the session and the user."""
    return HttpResponse(request.user.get_username())


async def async_quiet(request: HttpRequest) -> HttpResponse:
    """Never reads the user either."""
    return HttpResponse("ok")


urlpatterns = [path("quiet", quiet), path("async/quiet", async_quiet), path("user", reads_user)]


def main() -> None:
    settings.configure(
        ALLOWED_HOSTS=["testserver"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
        MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware", "django.contrib.auth.middleware.AuthenticationMiddleware"],
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        ROOT_URLCONF=__name__,
        SECRET_KEY="only for tests",
    )
    django.setup()
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from otelkit.testing import capture

    call_command("migrate", verbosity=0)
    user = get_user_model().objects.create_user("ada")
    found = {}
    with capture({"logs": {"exporters": ["otlp"]}}) as telemetry:
        client = Client()
        client.force_login(user)
        for name in ("quiet", "async/quiet", "user"):
            with CaptureQueriesContext(connection) as queries:
                answer = client.get(f"/{name}")
            counted = telemetry.span(f"GET /{name}")["attributes"]["db.query.count"]
            found[name] = {"answer": answer.content.decode(), "asked": len(queries), "counted": counted}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
