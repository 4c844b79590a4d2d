"""Sagas: forward step by step, back where one fails, and never forgotten; one trace, and counts that are what happened."""

from __future__ import annotations

import io
import logging
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path
from django.utils import timezone

from otelkit import startup
from otelkit.catalog.metrics import SAGA_ACTIVE, SAGA_OLDEST_AGE
from otelkit.catalog.spans import SAGA_STEP_TAKEN
from otelkit.patterns.saga import WAIT, Saga, SagaError, Step, parts, telemetry
from otelkit.patterns.saga.models import SagaRun
from otelkit.patterns.saga.orchestrating import sweep
from otelkit.patterns.saga.standing import standing
from otelkit.testing import capture
from tests.project.models import Item


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(parts, "known", {})
    yield
    SagaRun.objects.all().delete()
    Item.objects.all().delete()


class World:
    """Other services, as the steps see them."""

    def __init__(self) -> None:
        self.did: list[str] = []
        self.fails: set[str] = set()

    def act(self, name: str, *, waits: bool = False) -> Any:
        def action(data: dict[str, Any]) -> Any:
            Item.objects.create(name=name)
            data.setdefault("did", []).append(name)
            if name in self.fails:
                raise RuntimeError(f"{name} is out of order")
            self.did.append(name)
            return WAIT if waits else None

        return action

    def saga(self, *, pays_later: bool = False, **more: Any) -> Saga:
        steps = (
            Step("reserve", self.act("reserve"), self.act("release")),
            Step("pay", self.act("pay", waits=pays_later), self.act("refund")),
            Step("ship", self.act("ship")),
        )
        return Saga("place_order", steps, **more)


@pytest.fixture
def world() -> World:
    return World()


def run() -> SagaRun:
    return SagaRun.objects.get()


def overdue() -> None:
    """What waits for its time is due."""
    before = timezone.now() - timedelta(seconds=1)
    SagaRun.objects.update(due_at=before)
    SagaRun.objects.exclude(leased_until=None).update(leased_until=before)


def test_a_saga_goes_through_its_steps_after_the_commit(world: World):
    with transaction.atomic():
        world.saga().start({"order": 42}, key="order-42")
        assert world.did == []
    assert world.did == ["reserve", "pay", "ship"]
    assert (run().state, run().data) == ("ok", {"order": 42, "did": ["reserve", "pay", "ship"]})
    assert run().finished_at is not None


def test_what_is_rolled_back_never_began(world: World):
    with transaction.atomic():
        world.saga().start(key="order-42")
        transaction.set_rollback(True)
    assert (world.did, SagaRun.objects.count()) == ([], 0)


def test_the_same_key_twice_is_one_saga(world: World):
    saga = world.saga()
    first = saga.start(key="order-42")
    assert saga.start(key="order-42").id == first.id
    assert world.did == ["reserve", "pay", "ship"]


def test_a_step_that_fails_undoes_those_before_it_the_last_first(world: World, caplog: pytest.LogCaptureFixture):
    world.fails.add("ship")
    with caplog.at_level(logging.WARNING, "otelkit.saga"):
        world.saga().start(key="order-42")
    assert world.did == ["reserve", "pay", "refund", "release"]
    assert (run().state, run().error) == ("compensated", "ship: RuntimeError: ship is out of order")
    (said,) = caplog.records
    assert said.getMessage().endswith("turns back: ship: RuntimeError: ship is out of order")


def test_a_step_with_attempts_is_tried_again_by_the_sweeper(world: World):
    world.fails.add("only")
    saga = Saga("retried", (Step("only", world.act("only"), attempts=2),))
    saga.start(key="1")
    assert (run().state, run().attempts) == ("running", 1)
    assert sweep("default") == 0, "not before its time"
    world.fails.clear()
    overdue()
    assert sweep("default") == 1
    assert run().state == "ok"


def test_an_answer_from_outside_goes_on_and_a_second_one_does_nothing(world: World):
    saga = world.saga(pays_later=True)
    saga.start(key="order-42")
    assert (run().state, world.did) == ("waiting", ["reserve", "pay"])
    assert not saga.resume("order-42", step="ship"), "it is not what it waits for"
    assert saga.resume("order-42", {"payment": 7}, step="pay")
    assert (run().state, run().data["payment"]) == ("ok", 7)
    assert not saga.resume("order-42", {"payment": 8}, step="pay")
    assert not saga.resume("nobody")
    assert world.did == ["reserve", "pay", "ship"]


def test_an_answer_that_is_no_undoes_the_step_that_asked_too(world: World):
    saga = world.saga(pays_later=True)
    saga.start(key="order-42")
    assert saga.turn_back("order-42", "the card is refused")
    assert (run().state, run().error) == ("compensated", "the card is refused")
    assert world.did == ["reserve", "pay", "refund", "release"]
    assert not saga.turn_back("order-42", "again")


def test_a_saga_that_takes_too_long_is_turned_back_by_the_sweeper(world: World):
    world.saga(pays_later=True, timeout=60.0).start(key="order-42")
    assert sweep("default") == 0
    SagaRun.objects.update(deadline=timezone.now() - timedelta(seconds=1))
    said = io.StringIO()
    call_command("saga", "sweep", "--once", stdout=said)
    assert said.getvalue() == "1 sagas went on.\n"
    assert (run().state, run().error) == ("compensated", "timed out at pay")
    assert world.did == ["reserve", "pay", "refund", "release"]


def test_a_saga_whose_process_died_is_taken_up_where_it_was(world: World):
    class Killed(BaseException):
        pass

    def die(_: dict[str, Any]) -> None:
        if "pay" not in world.fails:
            world.fails.add("pay")
            raise Killed

    saga = Saga("killed", (Step("reserve", world.act("reserve")), Step("pay", die), Step("ship", world.act("ship"))))
    with pytest.raises(Killed):
        saga.start(key="1")
    assert (run().state, run().step, run().done) == ("running", "pay", ["reserve"])
    assert sweep("default") == 0, "somebody may still be at it"
    overdue()
    sweep("default")
    assert (run().state, world.did) == ("ok", ["reserve", "ship"])


def test_an_undo_that_fails_is_tried_again_and_then_somebody_has_to_look(world: World, caplog: pytest.LogCaptureFixture):
    world.fails.update(("ship", "refund"))
    with caplog.at_level(logging.ERROR, "otelkit.saga"):
        world.saga(undo_attempts=2).start(key="order-42")
        assert run().state == "compensating"
        overdue()
        sweep("default")
    assert run().state == "failed"
    (said,) = caplog.records
    assert said.__dict__["event.name"] == "saga.failed"
    shown = io.StringIO()
    call_command("saga", "failed", stdout=shown)
    assert "place_order order-42" in shown.getvalue()
    assert "not undone: reserve, pay  refund" not in shown.getvalue()
    assert "not undone: reserve, pay  pay: RuntimeError: refund is out of order" in shown.getvalue()
    world.fails.remove("refund")
    call_command("saga", "retry", "order-42", stdout=shown)
    sweep("default")
    assert (run().state, world.did) == ("compensated", ["reserve", "pay", "refund", "release"])


def test_a_saga_is_one_trace_and_an_answer_is_the_parent_of_what_follows(world: World):
    """A20."""
    with capture() as captured:
        tracer = captured.runtime.tracer
        with tracer.start_as_current_span("place order") as root:
            world.saga(pays_later=True).start(key="order-42")
        with tracer.start_as_current_span("payment answered", context=_within(root)):
            parts.sagas()["place_order"].resume("order-42")
        root_span = captured.span("place order")
        for name, parent in (("reserve", "place order"), ("pay", "place order"), ("ship", "payment answered")):
            span = captured.assert_span(f"place_order {name}", {"saga": "place_order", "step": name}, parent=parent)
            assert span["trace_id"] == root_span["trace_id"]
            assert set(span["attributes"]) <= {label.name for label in SAGA_STEP_TAKEN.attributes}


def _within(span: Any) -> Any:
    from opentelemetry import trace

    return trace.set_span_in_context(span)


def test_the_counts_are_what_happened(world: World):
    with capture() as captured:
        saga = world.saga()
        saga.start(key="1")
        world.fails.add("ship")
        saga.start(key="2")
        assert captured.point("saga.started", saga="place_order")["value"] == 2
        assert captured.point("saga.completed", saga="place_order", outcome="ok")["value"] == 1
        assert captured.point("saga.completed", saga="place_order", outcome="compensated")["value"] == 1
        counted = {
            (point["attributes"]["step"], point["attributes"]["outcome"]): point["count"]
            for point in captured.metrics["saga.step.duration"]
        }
        captured.assert_span("place_order undo pay", {"saga.step.direction": "backward"})
    assert counted == {
        ("reserve", "ok"): 2,
        ("pay", "ok"): 2,
        ("ship", "ok"): 1,
        ("ship", "failed"): 1,
        ("pay", "compensated"): 1,
        ("reserve", "compensated"): 1,
    }


def test_where_sagas_stand_is_asked_of_the_database(world: World):
    world.saga(pays_later=True).start(key="order-42")
    SagaRun.objects.update(started_at=timezone.now() - timedelta(seconds=100))
    found = standing()
    assert found[SAGA_ACTIVE] == {("place_order", "running"): 0, ("place_order", "waiting"): 1, ("place_order", "compensating"): 0}
    assert 100 <= found[SAGA_OLDEST_AGE]["place_order", "waiting"] < 130
    assert found[SAGA_OLDEST_AGE]["place_order", "running"] == 0


def test_with_the_kit_off_sagas_work_and_nothing_is_recorded(world: World):
    assert startup.current() is None
    world.saga().start(key="1")
    assert run().state == "ok"
    telemetry.started("other")
    telemetry.completed("other", "ok")


def test_another_orchestrator_calls_the_telemetry_alone():
    with capture() as captured:
        telemetry.started("ours")
        with captured.runtime.tracer.start_as_current_span("root"), telemetry.step("ours", "first"):
            pass
        with pytest.raises(OSError, match="gone"), telemetry.step("ours", "second"):
            raise OSError("gone")
        telemetry.completed("ours", "failed")
        captured.assert_span("ours first", parent="root")
        captured.assert_span("ours second", {"error.type": "OSError"}, status="ERROR")
        assert captured.point("saga.completed", saga="ours", outcome="failed")["value"] == 1


def test_what_cannot_be_a_saga_says_why(world: World):
    with pytest.raises(SagaError, match='The saga "empty" needs steps with names of their own; it has none'):
        Saga("empty", ())
    step = Step("a", world.act("a"))
    with pytest.raises(SagaError, match="it has a, a"):
        Saga("twice", (step, step))
    Saga("known", (step,))
    Saga("known", (step,))
    with pytest.raises(SagaError, match='There are two sagas "known": with the steps a, and b'):
        Saga("known", (Step("b", world.act("b")),))


def test_a_saga_that_the_project_has_no_more_waits_and_says_so(world: World, caplog: pytest.LogCaptureFixture):
    world.saga(pays_later=True).start(key="order-42")
    SagaRun.objects.update(state="running", saga="forgotten")
    overdue()
    with caplog.at_level(logging.ERROR, "otelkit.saga"):
        sweep("default")
    assert [record.getMessage() for record in caplog.records] == ["No app has a saga forgotten, of which there is one under way: order-42."]
    assert sweep("default") == 0


def _place_order(request: HttpRequest) -> HttpResponse:
    steps = tuple(Step(f"step {number}", lambda data: Item.objects.filter(pk=1).first() and None) for number in range(8))
    Saga("long", steps).start({})
    return HttpResponse()


urlpatterns = [path("place", _place_order)]


@override_settings(ROOT_URLCONF=__name__)
def test_the_rows_of_a_sagas_steps_are_nobodys_n_plus_one():
    """A17: that each step is written down is as it should be. What the steps themselves ask again and again is the project's."""
    with capture() as telemetry:
        assert Client().get("/place").status_code == 200
        assert run().state == "ok"
        (repeated,) = telemetry.metrics["django.request.db.n_plus_one"]
        assert repeated["attributes"]["db.query.summary"] == "SELECT project_item"
        assert repeated["value"] == 8
        assert max(count for name, count in Counter(span["name"] for span in telemetry.spans).items() if "otelkit_saga" in name) > 5
