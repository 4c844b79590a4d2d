"""Events in async code: published and taken in the same transactions, traces included."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import transaction
from django.http import HttpResponse
from django.test import AsyncClient
from django.urls import path

from otelkit.patterns.events import CloudEvent, NoTransactionError, apublish, publish
from otelkit.patterns.events.inbox import Inbox, Outcome
from otelkit.patterns.events.models import InboxEvent, InboxState, OutboxEvent
from otelkit.testing import capture
from tests.instrumentation.patterns.events.conftest import Post
from tests.instrumentation.patterns.serving import serving
from tests.project.models import Item

EVENT = CloudEvent("a1", "orders", "order.placed", {"order": 1}, aggregate="a", position=1)


@pytest.fixture(autouse=True)
def _no_items() -> None:
    Item.objects.all().delete()


async def place(name: str, *, fails: bool = False) -> None:
    await Item.objects.acreate(name=name)
    await apublish("order.placed", {"order": name}, destination="orders", aggregate=name)
    if fails:
        raise ValueError("planted")


def stored() -> tuple[int, int]:
    return Item.objects.count(), OutboxEvent.objects.count()


def test_what_async_code_publishes_is_stored_with_its_data():
    """A25: while the kit is off."""
    with transaction.atomic():
        async_to_sync(place)("tea")
    assert stored() == (1, 1)
    row = OutboxEvent.objects.get()
    assert (row.type, row.data, row.position) == ("order.placed", {"order": "tea"}, 1)


def test_what_is_rolled_back_was_never_published():
    with pytest.raises(ValueError, match="planted"), transaction.atomic():
        async_to_sync(place)("tea", fails=True)
    assert stored() == (0, 0)


def test_without_a_transaction_it_is_refused_as_in_sync_code():
    with pytest.raises(NoTransactionError, match=r'publish\("order.placed"\) needs a transaction'):
        asyncio.run(apublish("order.placed", destination="orders"))
    assert stored() == (0, 0)


@pytest.mark.parametrize(
    "given", [{"type": ""}, {"type": "x" * 1000}, {"data": {1j}}, {"destination": "a\0b"}, {"aggregate": 7}, {"id": "\ud800"}], ids=repr
)
def test_what_publish_refuses_it_refuses_in_the_same_words(given: dict[str, Any]):
    """B5: hostile values."""
    arguments = {"type": "order.placed", "destination": "orders", **given}

    def refused(call: Any) -> str:
        with pytest.raises((ValueError, TypeError)) as raised, transaction.atomic():
            call(**arguments)
        return repr(raised.value)

    assert refused(async_to_sync(apublish)) == refused(publish)


def test_the_trace_of_the_coroutine_goes_along():
    with capture() as telemetry, telemetry.runtime.tracer.start_as_current_span("work"), transaction.atomic():
        async_to_sync(place)("tea")
    assert telemetry_trace(OutboxEvent.objects.get()) == telemetry.span("work")["trace_id"]


def telemetry_trace(row: OutboxEvent) -> str:
    return row.traceparent.split("-")[1]


def test_an_async_view_awaits_a_plain_function_that_has_the_transaction():
    """As the README has it."""

    @sync_to_async
    @transaction.atomic
    def store(name: str) -> None:
        Item.objects.create(name=name)
        publish("order.placed", destination="orders")

    async def view(request: Any) -> HttpResponse:
        await store("tea")
        return HttpResponse(status=201)

    async def ask() -> int:
        return int((await AsyncClient().post("/orders")).status_code)

    with capture() as telemetry, serving([path("orders", view)]):
        assert asyncio.run(ask()) == 201
        trace_id = telemetry.span("POST /orders")["trace_id"]
    assert stored() == (1, 1)
    assert telemetry_trace(OutboxEvent.objects.get()) == trace_id


@pytest.fixture
def inbox(post: Post) -> Inbox:
    async def handle(event: CloudEvent) -> None:
        await asyncio.sleep(0)
        await place("tea", fails=event.data == "fail")
        post.taken.append(event)

    fast = post.with_settings(attempts=3, retry_base=0.01, retry_cap=0.01)
    return Inbox(post.subscription(handle), fast.settings)


def test_an_async_handler_has_its_effect_once(inbox: Inbox, post: Post):
    assert [inbox.take(EVENT) for _ in range(2)] == [Outcome.OK, Outcome.DUPLICATE]
    assert (stored(), post.taken) == ((1, 1), [EVENT])


def test_what_an_async_handler_wrote_is_undone_when_it_raises(inbox: Inbox):
    assert inbox.take(CloudEvent("a1", "orders", "order.placed", "fail")) == Outcome.FAILED
    assert stored() == (0, 0)
    row = InboxEvent.objects.get()
    assert (row.state, "ValueError" in row.error) == (InboxState.FAILED, True)


def test_an_async_handler_works_in_the_trace_of_its_event(inbox: Inbox, post: Post):
    with capture() as telemetry:
        assert inbox.take(EVENT) == Outcome.OK
        process = telemetry.span("process orders")
        assert telemetry_trace(OutboxEvent.objects.get()) == process["trace_id"]
        assert telemetry.span("INSERT project_item")["parent_span_id"] == process["span_id"]


def test_whatever_gives_an_awaitable_is_awaited(post: Post):
    """A partial, an object with an async `__call__`, and a plain function that hands a coroutine back."""

    class Handler:
        async def __call__(self, event: CloudEvent) -> None:
            post.taken.append(event)

    def plain(event: CloudEvent) -> Any:
        return handler(event)

    handler = Handler()
    for number, made in enumerate((handler, partial(handler.__call__), plain)):
        event = CloudEvent(f"b{number}", "orders", "order.placed", None)
        assert Inbox(post.subscription(made), post.settings).take(event) == Outcome.OK
    assert len(post.taken) == 3
