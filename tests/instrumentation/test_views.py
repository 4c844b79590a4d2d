"""What a span says about the view, and about the user, without asking for one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from importlib import import_module

import django
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.test import override_settings

from otelkit.request.addresses import pseudonym
from otelkit.testing import capture
from tests.instrumentation.asking import BOTH

pytest.importorskip("rest_framework", reason="Django REST framework is not installed: pip install 'otelkit[dev]'")


@pytest.mark.parametrize("ask", BOTH)
@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "/items/7", "tests.project.views.ok"),
        ("GET", "/class/7", "tests.project.views.ClassBased.get"),
        ("POST", "/class/7", "tests.project.views.ClassBased.post"),
        ("HEAD", "/class/7", "tests.project.views.ClassBased.get"),
        ("OPTIONS", "/class/7", "tests.project.views.ClassBased.options"),
        ("DELETE", "/class/7", "tests.project.views.ClassBased"),
        ("WEIRD", "/class/7", "tests.project.views.ClassBased"),
        ("GET", "/callable", "tests.project.views.CallableView.__call__"),
        ("GET", "/partial", "tests.project.views.ok"),
        ("GET", "/rest/things/", "tests.project.rest.Things.list"),
        ("HEAD", "/rest/things/", "tests.project.rest.Things.list"),
        ("GET", "/rest/things/7/", "tests.project.rest.Things.retrieve"),
        ("POST", "/rest/things/7/ship/", "tests.project.rest.Things.ship"),
        ("GET", "/rest/status", "tests.project.rest.Status.get"),
        ("GET", "/rest/ping", "tests.project.rest.ping"),
    ],
)
def test_the_span_names_what_answered(ask, method, path, name):
    """A10: a class-based view says its method, a viewset its action."""
    with capture() as telemetry:
        ask(path, method)
        (span,) = telemetry.spans
    assert span["attributes"]["code.function.name"] == name


@pytest.mark.parametrize("ask", BOTH)
@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/rest/things/", "/rest/things/"),
        ("/rest/things/7/", "/rest/things/{pk}/"),
        ("/rest/things/7.json", "/rest/things/{pk}.{format}/"),
        ("/rest/status", "/rest/status"),
    ],
)
def test_routes_of_a_router_are_normalised(ask, path, route):
    """A10: DRF routers."""
    with capture() as telemetry:
        assert ask(path).status_code == 200
        assert telemetry.span(f"GET {route}")["attributes"]["http.route"] == route


@pytest.mark.parametrize("ask", BOTH)
def test_a_validation_error_of_django_rest_framework_is_the_callers(ask):
    """A8."""
    with capture() as telemetry:
        assert ask("/rest/things/", "POST").status_code == 400
        (span,) = telemetry.spans
        assert (span["status"], span["attributes"]["http.response.status_code"]) == ("UNSET", 400)
        assert "errors.captured" not in telemetry.metrics


NEEDS_AUSER = pytest.mark.skipif(django.VERSION < (5, 0), reason="Django knows request.auser() since 5.0")
LOGGED_IN = ["django.contrib.sessions.middleware.SessionMiddleware", "django.contrib.auth.middleware.AuthenticationMiddleware"]


@pytest.fixture
def user() -> Iterator[User]:
    user = User.objects.create(username="ann")
    yield user
    user.delete()


@pytest.fixture
def cookie(user: User) -> Iterator[dict[str, str]]:
    """The headers of a browser in which the user has logged in."""
    session: SessionStore = import_module(settings.SESSION_ENGINE).SessionStore()
    session["_auth_user_id"] = str(user.pk)
    session["_auth_user_backend"] = "django.contrib.auth.backends.ModelBackend"
    session["_auth_user_hash"] = user.get_session_auth_hash()
    session.create()
    yield {"cookie": f"{settings.SESSION_COOKIE_NAME}={session.session_key}"}
    session.delete()


@pytest.mark.parametrize("ask", BOTH)
@pytest.mark.parametrize("user_id", ["hashed", "plain", "off"])
def test_a_view_that_never_reads_its_user_costs_no_query(ask, cookie, user_id):
    """A12."""
    with override_settings(MIDDLEWARE=LOGGED_IN), capture({"requests": {"user_id": user_id, "client_address": "full"}}) as telemetry:
        ask("/items/7", headers=cookie)
        span = telemetry.span("GET /items/{pk}")
        assert span["attributes"]["db.query.count"] == 0
        assert "user.id" not in span["attributes"]
        assert "db.client.operation.duration" not in telemetry.metrics


@pytest.mark.parametrize("ask", BOTH)
@pytest.mark.parametrize("path", ["/user", pytest.param("/async/user", marks=NEEDS_AUSER)])
def test_a_user_that_was_read_is_named_by_a_pseudonym(ask, cookie, user, path):
    """A12: and costs the two queries of the view's own reading, no third."""
    with override_settings(MIDDLEWARE=LOGGED_IN), capture() as telemetry:
        assert ask(path, headers=cookie).content == str(user.pk).encode()
        span = telemetry.span(f"GET {path}")
    assert span["attributes"]["db.query.count"] == 2
    assert span["attributes"]["user.id"] == pseudonym("user.id", str(user.pk))
    with override_settings(MIDDLEWARE=LOGGED_IN), capture({"requests": {"user_id": "plain"}}) as telemetry:
        ask(path, headers=cookie)
        assert telemetry.span(f"GET {path}")["attributes"]["user.id"] == str(user.pk)
    with override_settings(MIDDLEWARE=LOGGED_IN), capture({"requests": {"user_id": "off"}}) as telemetry:
        ask(path, headers=cookie)
        assert "user.id" not in telemetry.span(f"GET {path}")["attributes"]


@pytest.mark.parametrize("ask", BOTH)
def test_nobody_is_no_user(ask):
    with override_settings(MIDDLEWARE=LOGGED_IN), capture() as telemetry:
        assert ask("/user").content == b"None"
        assert "user.id" not in telemetry.span("GET /user")["attributes"]


@pytest.mark.parametrize("ask", BOTH)
def test_the_user_of_django_rest_framework_is_found(ask):
    """DRF authenticates by itself and hands its user to Django's request."""
    with capture({"requests": {"user_id": "plain"}}) as telemetry:
        ask("/rest/status")
        assert telemetry.span("GET /rest/status")["attributes"]["user.id"] == "41"


@NEEDS_AUSER
def test_two_requests_in_one_loop_keep_their_users_apart(cookie, user):
    """B7."""
    from django.test import AsyncClient

    async def both() -> list[bytes]:
        known, unknown = AsyncClient(), AsyncClient()
        known.cookies.load(cookie["cookie"])
        answers = await asyncio.gather(known.get("/async/user"), unknown.get("/async/user"))
        return [answer.content for answer in answers]

    with override_settings(MIDDLEWARE=LOGGED_IN), capture({"requests": {"user_id": "plain"}}) as telemetry:
        assert asyncio.run(both()) == [str(user.pk).encode(), b"None"]
        assert sorted(span["attributes"].get("user.id", "") for span in telemetry.spans if span["kind"] == "SERVER") == ["", str(user.pk)]
