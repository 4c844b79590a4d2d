"""Idempotency keys in a table: key, work and answer are committed together or not at all, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError, connections, transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.test import AsyncClient, Client
from django.urls import path
from django.utils import timezone
from django.utils.decorators import method_decorator
from rest_framework.response import Response
from rest_framework.views import APIView

from otelkit.patterns.idempotency import HEADER, LARGEST_ANSWER, REPLAYED, idempotent
from otelkit.patterns.idempotency.models import IdempotencyKey
from otelkit.testing import capture
from tests.instrumentation.patterns.serving import serving, values
from tests.postgresql import PostgreSQL, running_postgresql
from tests.project.models import Item

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def postgresql() -> Iterator[PostgreSQL]:
    with running_postgresql() as server:
        yield server


class Shop:
    """A service with a database, whose views store what they do."""

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self.entered, self.release = threading.Event(), threading.Event()
        once = partial(idempotent, store="database", using=alias)
        views = (self.order, self.boom, self.stream, self.large, self.page, self.slow, self.broken, self.nothing)
        self.urls = [path(view.__name__, once()(view)) for view in views]
        self.urls += [path("must", once(required=True)(self.order)), path("short", once(keep_for=-1.0)(self.order))]
        self.urls.append(path("rest", method_decorator(once(), name="dispatch")(type("Orders", (Orders,), {"shop": self})).as_view()))

    def work(self, name: str = "order") -> int:
        return int(Item.objects.using(self.alias).create(name=name).pk)

    @property
    def done(self) -> int:
        """How often something was stored that lasted."""
        return Item.objects.using(self.alias).count()

    def order(self, request: Any) -> HttpResponse:
        number = self.work()
        body = f"order {number} \xe9".encode("latin-1")
        answer = HttpResponse(body, status=int(request.GET.get("status", "201")), content_type="text/x-order")
        answer["Location"] = f"/orders/{number}"
        answer.set_cookie("session", "hunter2")
        return answer

    def boom(self, request: Any) -> HttpResponse:
        self.work()
        raise RuntimeError

    def stream(self, request: Any) -> StreamingHttpResponse:
        self.work()
        return StreamingHttpResponse(iter([b"a"]))

    def large(self, request: Any) -> HttpResponse:
        self.work()
        return HttpResponse(b"x" * (LARGEST_ANSWER + 1))

    def page(self, request: Any) -> TemplateResponse:
        self.work()
        return TemplateResponse(request, "items.html", {"items": [{"name": "tea"}]})

    def slow(self, request: Any) -> HttpResponse:
        self.work("slow")
        self.entered.set()
        assert self.release.wait(60)
        return HttpResponse("slow")

    def broken(self, request: Any) -> HttpResponse:
        self.work()
        transaction.set_rollback(True, self.alias)
        return HttpResponse("as if nothing was wrong")

    def nothing(self, request: Any) -> None:
        self.work()

    def post(self, at: str, key: str | None = "k1", body: bytes = b"{}", **headers: str) -> Any:
        given = headers if key is None else {HEADER: key, **headers}
        client = Client(raise_request_exception=False)
        return client.generic("POST", f"/{at}", body, content_type="application/json", headers=given)


class Orders(APIView):
    authentication_classes = ()
    permission_classes = ()
    shop: Shop

    def post(self, request: Any) -> Response:
        return Response({"number": self.shop.work(str(request.data["sku"]))}, status=201)


@pytest.fixture(params=["sqlite", "postgresql"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    alias = f"keys_{request.param}"
    if request.param == "postgresql":
        settings = request.getfixturevalue("postgresql").settings()
    else:
        settings = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "keys.sqlite3"), "OPTIONS": {"timeout": 0.2}}
    connections.settings[alias] = connections.configure_settings({"default": {}, alias: settings})[alias]
    try:
        call_command("migrate", database=alias, run_syncdb=True, verbosity=0)
        made = Shop(alias)
        with serving(made.urls):
            yield made
    finally:
        Item.objects.using(alias).all().delete()
        IdempotencyKey.objects.using(alias).all().delete()
        connections[alias].close()
        del connections[alias], connections.settings[alias]


def in_threads(shop: Shop, *asking: Callable[[], Any]) -> list[Any]:
    """What they are answered, each in a thread with a connection of its own."""
    answers: list[Any] = []

    def ask(one: Callable[[], Any]) -> None:
        try:
            answers.append(one())
        finally:
            connections[shop.alias].close()

    threads = [threading.Thread(target=ask, args=(one,)) for one in asking]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers


def test_a_request_that_comes_twice_is_done_once_and_answered_alike(shop):
    """A25: while the kit is off."""
    first, second, third = shop.post("order"), shop.post("order"), shop.post("order", '"k1"')
    assert shop.done == 1
    for again in (second, third):
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert (again["Content-Type"], again["Location"], again[REPLAYED]) == ("text/x-order", first["Location"], "true")
        assert "hunter2" not in str(again.cookies)
    assert REPLAYED not in first


def test_under_asgi_a_plain_view_does_the_same(shop):
    async def ask() -> Any:
        return await AsyncClient().post("/order", b"{}", content_type="application/json", headers={HEADER: "k1"})

    async def twice() -> list[Any]:
        return [await ask(), await ask()]

    first, second = asyncio.run(twice())
    assert (first.status_code, second.content, second[REPLAYED], shop.done) == (201, first.content, "true", 1)


def test_a_coroutine_function_is_refused_where_it_is_decorated():
    async def order(request: Any) -> HttpResponse:
        return HttpResponse()

    with pytest.raises(TypeError, match="Make the view a plain function"):
        idempotent(store="database")(order)
    with pytest.raises(ValueError, match='must be "cache" or "database"'):
        idempotent(store="file")(order)


def test_without_a_key_nothing_is_changed_and_a_key_that_is_none_is_refused(shop):
    assert [shop.post("order", None).status_code for _ in range(2)] == [201, 201]
    assert shop.done == 2
    assert [shop.post("must", key).status_code for key in (None, "é", "x" * 256)] == [400, 400, 400]
    assert shop.done == 2


def test_a_key_belongs_to_one_request_of_one_caller(shop):
    """C1."""
    shop.post("order", Authorization="Bearer alice")
    assert shop.post("order", body=b"other", Authorization="Bearer alice").status_code == 422
    assert REPLAYED not in shop.post("order", Authorization="Bearer bob")
    assert shop.done == 2
    assert "alice" not in str(list(IdempotencyKey.objects.using(shop.alias).values()))


@pytest.mark.parametrize("status", [500, 503, 401, 403, 409, 429])
def test_what_is_not_final_is_not_kept_and_not_done(shop, status):
    assert [REPLAYED in shop.post(f"order?status={status}") for _ in range(2)] == [False, False]
    assert (shop.done, IdempotencyKey.objects.using(shop.alias).count()) == (0, 0)


@pytest.mark.parametrize("at", ["boom", "broken", "nothing"])
def test_work_that_fails_leaves_no_key(shop, at):
    """An exception, a transaction that the view has given up, and a view that answers nothing."""
    answers = [shop.post(at) for _ in range(2)]
    assert [REPLAYED in answer for answer in answers] == [False, False]
    assert (shop.done, IdempotencyKey.objects.using(shop.alias).count()) == (0, 0)


@pytest.mark.parametrize("at", ["stream", "large"])
def test_what_cannot_be_kept_is_done_once_all_the_same(shop, at):
    first, second = shop.post(at), shop.post(at)
    assert (first.status_code, second.status_code, shop.done) == (200, 409, 1)
    assert "was done before" in second.json()["title"]


def test_what_is_rendered_late_is_kept_as_it_was_rendered(shop):
    for at, body in (("page", b"{}"), ("rest", b'{"sku": "tea"}')):
        first, second = shop.post(at, body=body), shop.post(at, body=body)
        assert first.content
        assert (second.content, second[REPLAYED]) == (first.content, "true")
    assert shop.done == 2


def test_who_comes_while_the_first_is_at_it_is_told_to_come_again(shop):
    with capture() as telemetry:
        asking = threading.Thread(target=lambda: in_threads(shop, lambda: shop.post("slow")))
        asking.start()
        assert shop.entered.wait(60)
        meanwhile = shop.post("slow")
        shop.release.set()
        asking.join(60)
        assert (meanwhile.status_code, meanwhile["Retry-After"]) == (409, "1")
        assert shop.post("slow").content == b"slow"
        assert shop.done == 1
        assert values(telemetry, "idempotency.requests") == {("new",): 1, ("replay",): 1, ("conflict",): 0, ("in_progress",): 1}


def test_of_many_at_once_one_is_done(shop):
    answers = in_threads(shop, *(partial(shop.post, "order") for _ in range(8)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len([answer for answer in answers if answer.status_code == 201 and REPLAYED not in answer]) == 1
    assert shop.done == 1


def test_a_key_expires_and_is_swept_away(shop):
    """Whether the sweeper or the next request comes first."""
    assert [REPLAYED in shop.post("short") for _ in range(3)] == [False] * 3
    assert (shop.done, IdempotencyKey.objects.using(shop.alias).count()) == (3, 1)
    shop.post("order", "k2")
    said = StringIO()
    call_command("idempotency", "sweep", database=shop.alias, stdout=said)
    assert said.getvalue() == "1 keys are gone.\n"
    assert IdempotencyKey.objects.using(shop.alias).get().key == "k2"
    IdempotencyKey.objects.using(shop.alias).update(expires_at=timezone.now() - timedelta(days=1))
    call_command("idempotency", "sweep", database=shop.alias, stdout=said)
    assert not IdempotencyKey.objects.using(shop.alias).exists()


def test_with_atomic_requests_it_is_one_transaction(shop, monkeypatch):
    monkeypatch.setitem(connections.settings[shop.alias], "ATOMIC_REQUESTS", True)
    assert [shop.post("order").status_code for _ in range(2)] == [201, 201]
    assert shop.post("order?status=503", "k2").status_code == 503
    assert (shop.done, IdempotencyKey.objects.using(shop.alias).count()) == (1, 1)


def test_a_database_without_the_table_fails_the_request_and_does_nothing(shop):
    """Without its key it might be done twice, which the caller asked not to happen."""
    with connections[shop.alias].schema_editor() as editor:
        editor.delete_model(IdempotencyKey)
    try:
        assert shop.post("order").status_code == 500
        assert shop.done == 0
    finally:
        with connections[shop.alias].schema_editor() as editor:
            editor.create_model(IdempotencyKey)


def test_an_error_that_is_no_lock_goes_on(shop, monkeypatch):
    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(IdempotencyKey, "save", away)
    assert shop.post("order").status_code == 500


DYING = """
import os, signal, sys
import django
django.setup()
from django.db import transaction
from django.http import HttpResponse
from django.test import RequestFactory
from otelkit.patterns.idempotency import idempotent
from tests.project.models import Item

@idempotent(store="database")
def order(request):
    Item.objects.create(name="tea")
    if sys.argv[1] == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    return HttpResponse("one order")

order(RequestFactory().post("/order", b"{}", content_type="application/json", HTTP_IDEMPOTENCY_KEY="k1"))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(("dies", "done", "kept"), [("before", 0, 0), ("after", 1, 1)])
def test_a_process_that_is_killed_has_done_all_of_it_or_nothing(tmp_path, dies, done, kept):
    """Before the commit there is nothing; after it the answer is there, which nobody was given."""
    alias = "killed"
    settings = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "killed.sqlite3")}
    connections.settings[alias] = connections.configure_settings({"default": {}, alias: settings})[alias]
    try:
        call_command("migrate", database=alias, run_syncdb=True, verbosity=0)
        environ = {**os.environ, "TESTS_DATABASE": settings["NAME"]}
        killed = subprocess.run([sys.executable, "-c", DYING, dies], cwd=ROOT, env=environ, check=False, capture_output=True, text=True)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert (Item.objects.using(alias).count(), IdempotencyKey.objects.using(alias).count()) == (done, kept)
        shop = Shop(alias)
        with serving([path("order", idempotent(store="database", using=alias)(shop.order))]):
            again = shop.post("order")
        assert again.status_code == (200 if kept else 201)
        assert (again.content == b"one order", shop.done) == (bool(kept), 1)
    finally:
        connections[alias].close()
        del connections[alias], connections.settings[alias]


def test_the_migration_is_what_the_model_says():
    call_command("makemigrations", "otelkit_idempotency", check=True, dry_run=True, verbosity=0)
