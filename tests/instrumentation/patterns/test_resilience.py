"""Circuit breakers, retries, deadlines, degraded answers and shed load: they work without the kit, and with it they are seen."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import httpx
import pybreaker
import pytest
from django.http import HttpResponse
from django.urls import path
from opentelemetry import trace

from otelkit.patterns import resilience
from otelkit.patterns.resilience import CircuitBreaker, CircuitOpenError, DeadlineExceededError, Retry, RetryBudget, deadline
from otelkit.testing import capture
from tests.instrumentation.asking import BOTH, ask_async, ask_sync
from tests.instrumentation.logs.hostile import HOSTILE
from tests.instrumentation.patterns.serving import serving, values


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def failing() -> None:
    raise ConnectionError("postgres://user:hunter2@db")


def fine() -> str:
    return "fine"


def fail(breaker: CircuitBreaker, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(ConnectionError):
            breaker(failing)()


def run_sync(function: Callable[[], Any], wrap: Callable[[Any], Any]) -> Any:
    return wrap(function)()


def run_async(function: Callable[[], Any], wrap: Callable[[Any], Any]) -> Any:
    async def asynchronous() -> Any:
        return function()

    return asyncio.run(wrap(asynchronous)())


@pytest.mark.parametrize("run", [run_sync, run_async])
def test_a_breaker_opens_rejects_tries_and_closes(run, clock):
    """A25: all of it while the kit is off."""
    breaker = CircuitBreaker("inventory", failures=2, reset_after=30, clock=clock)
    for _ in range(2):
        with pytest.raises(ConnectionError):
            run(failing, breaker)
    assert breaker.state == "open"
    with pytest.raises(CircuitOpenError, match=r'The circuit breaker "inventory" is open; it lets a call through in 30.0 s.') as caught:
        run(fine, breaker)
    assert (caught.value.name, caught.value.retry_in) == ("inventory", 30)
    clock.now += 30
    with pytest.raises(ConnectionError):
        run(failing, breaker)
    assert breaker.state == "open", "the one call that tries decides"
    clock.now += 30
    assert run(fine, breaker) == "fine"
    assert breaker.state == "closed"


def test_only_failures_in_a_row_count_and_what_is_ignored_is_an_answer(clock):
    breaker = CircuitBreaker("inventory", failures=2, ignored=(LookupError,), clock=clock)
    fail(breaker)
    with pytest.raises(KeyError):
        breaker({}.__getitem__)("absent")
    fail(breaker)
    assert breaker.state == "closed"
    fail(breaker)
    assert breaker.state == "open"


def test_an_answer_may_be_called_a_failure(clock):
    breaker = CircuitBreaker("inventory", failures=1, clock=clock)
    with breaker.guard() as call:
        call.failed("503")
    assert breaker.state == "open"


@pytest.mark.parametrize("leaves", [KeyboardInterrupt, asyncio.CancelledError, GeneratorExit])
def test_a_call_that_was_cancelled_says_nothing_and_gives_its_place_back(leaves, clock):
    """A7."""
    breaker = CircuitBreaker("inventory", failures=1, reset_after=1, clock=clock)
    fail(breaker)
    clock.now += 1
    with pytest.raises(leaves), breaker.guard():
        raise leaves
    assert breaker.state == "half_open"
    assert breaker(fine)() == "fine"
    assert breaker.state == "closed"


def test_a_breaker_that_nobody_calls_any_more_is_not_said_to_turn_calls_back(clock):
    """What is called once a day would ring CircuitBreakerOpen until tomorrow."""
    breaker = CircuitBreaker("inventory", failures=1, reset_after=10, clock=clock)
    fail(breaker)
    clock.now += 9.9
    assert breaker.state == "open"
    clock.now += 0.1
    assert breaker.state == "half_open"
    with capture() as telemetry:
        assert values(telemetry, "circuit_breaker.state")["inventory", "half_open"] == 1
        fail(breaker)
        assert breaker.state == "open", "the call that it lets through decides"


def test_calls_do_not_wait_for_one_another_and_one_alone_tries(clock):
    breaker = CircuitBreaker("inventory", failures=1, reset_after=1, clock=clock)
    with breaker.guard(), breaker.guard():
        pass
    fail(breaker)
    clock.now += 1
    with breaker.guard():
        with pytest.raises(CircuitOpenError), breaker.guard():
            pass
        clock.now += 1
        with breaker.guard():
            pass
    assert breaker.state == "closed", "a call that hangs while it tries does not keep the others out for ever"


def test_what_a_call_says_that_began_before_the_change_is_old_news(clock):
    breaker = CircuitBreaker("inventory", failures=1, reset_after=1, clock=clock)
    slow = breaker.guard()
    slow.__enter__()
    fail(breaker)
    clock.now += 1
    assert breaker(fine)() == "fine"
    assert slow.__exit__(ConnectionError, ConnectionError(), None) is False
    assert breaker.state == "closed"


def test_threads_agree_on_one_state():
    """B7: 8 threads, 1,000 calls each, and none lost in between."""
    breaker = CircuitBreaker("inventory", failures=10**9)
    ran: list[int] = []

    def work() -> None:
        for number in range(1000):
            with suppress(ConnectionError), breaker.guard():
                if number % 2:
                    raise ConnectionError
        ran.append(1)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(ran) == 8
    fail(breaker)
    assert breaker.state == "closed"
    with breaker.guard():
        pass
    assert breaker._failed == 0


@pytest.mark.parametrize("numbers", [{"failures": 0}, {"probes": 0}, {"reset_after": 0}, {"reset_after": float("nan")}])
def test_numbers_that_make_no_sense_are_refused(numbers):
    """A23."""
    with pytest.raises(ValueError, match='The circuit breaker "inventory" needs failures and probes of at least 1'):
        CircuitBreaker("inventory", **numbers)
    with pytest.raises(ValueError, match="needs attempts of at least 1"):
        Retry("inventory", on=(OSError,), attempts=0)


def test_state_changes_and_rejections_are_metrics_events_and_one_line_each(clock, caplog):
    caplog.set_level(logging.INFO, "otelkit.resilience")
    breaker = CircuitBreaker("inventory", failures=1, reset_after=1, clock=clock)
    with capture() as telemetry:
        states = values(telemetry, "circuit_breaker.state")
        assert [states["inventory", state] for state in ("closed", "open", "half_open")] == [1, 0, 0]
        with trace.get_tracer("tests").start_as_current_span("order"):
            fail(breaker)
            with pytest.raises(CircuitOpenError):
                breaker(fine)()
        assert telemetry.point("circuit_breaker.state", name="inventory", state="open")["value"] == 1
        assert telemetry.point("circuit_breaker.transitions", name="inventory", to="open")["value"] == 1
        assert telemetry.point("circuit_breaker.rejected", name="inventory")["value"] == 1
        assert [event["name"] for event in telemetry.span("order")["events"]] == ["circuit_breaker.transition", "circuit_breaker.rejected"]
        clock.now += 1
        breaker(fine)()
        assert telemetry.point("circuit_breaker.state", name="inventory", state="closed")["value"] == 1
        assert telemetry.point("circuit_breaker.transitions", name="inventory", to="half_open")["value"] == 1
    assert [record.getMessage() for record in caplog.records if record.name == "otelkit.resilience"] == [
        'Circuit breaker "inventory" is open now (ConnectionError).',
        'Circuit breaker "inventory" is half-open now.',
        'Circuit breaker "inventory" is closed now.',
    ]


def test_a_breaker_that_is_gone_is_not_reported():
    breaker = CircuitBreaker("forgotten")
    with capture() as telemetry:
        assert telemetry.point("circuit_breaker.state", name="forgotten", state="closed")["value"] == 1
        del breaker
        gc.collect()
        assert ("forgotten", "closed") not in values(telemetry, "circuit_breaker.state")


@pytest.fixture
def followed() -> Iterator[pybreaker.CircuitBreaker]:
    breaker = pybreaker.CircuitBreaker(fail_max=2, reset_timeout=60, name="theirs")
    end = resilience.follow_pybreaker(breaker)
    yield breaker
    end()


def test_a_breaker_of_pybreaker_tells_the_same(followed):
    with capture() as telemetry:
        for error in (ConnectionError, pybreaker.CircuitBreakerError):  # the failure that opens it is theirs to name
            with pytest.raises(error):
                followed.call(failing)
        assert "circuit_breaker.rejected" not in telemetry.metrics
        for _ in range(3):
            with pytest.raises(pybreaker.CircuitBreakerError):
                followed(fine)()
        assert telemetry.point("circuit_breaker.rejected", name="theirs")["value"] == 3
        assert telemetry.point("circuit_breaker.transitions", name="theirs", to="open")["value"] == 1
        assert telemetry.point("circuit_breaker.state", name="theirs", state="open")["value"] == 1
        followed.reset_timeout = 0  # it would let the next call through now
        assert telemetry.point("circuit_breaker.state", name="theirs", state="half_open")["value"] == 1
        followed.half_open()
        assert telemetry.point("circuit_breaker.state", name="theirs", state="half_open")["value"] == 1
        assert followed.call(fine) == "fine"


def test_what_follows_pybreaker_leaves_without_a_trace():
    """A26."""
    breaker = pybreaker.CircuitBreaker(name="theirs")
    before = dict(vars(breaker))
    resilience.follow_pybreaker(breaker)()
    assert {name: value for name, value in vars(breaker).items() if name != "_lock"} == {
        name: value for name, value in before.items() if name != "_lock"
    }


def test_somebody_elses_breaker_that_cannot_say_its_state_stops_no_export():
    """B6."""
    end = resilience.observe_breaker("broken", lambda: 1 / 0)
    with capture() as telemetry:
        assert ("broken", "closed") not in values(telemetry, "circuit_breaker.state")
        resilience.budget_exhausted("host")
        assert telemetry.point("retry_budget.exhausted", server_address="host")["value"] == 1
    end()


class Flaky:
    """Fails so many times, then does not."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self.failures:
            raise ConnectionError("hunter2")
        return "fine"


@pytest.mark.parametrize("run", [run_sync, run_async])
def test_a_call_is_tried_again_and_each_further_attempt_counted(run):
    again = Retry("inventory.internal", on=(ConnectionError,), first_wait=0)
    with capture() as telemetry:
        assert run(Flaky(1), again) == "fine"
        hopeless = Flaky(9)
        with pytest.raises(ConnectionError):
            run(hopeless, again)
        assert hopeless.calls == 3
        assert telemetry.point("http.client.retries", server_address="inventory.internal", outcome="ok")["value"] == 1
        assert telemetry.point("http.client.retries", server_address="inventory.internal", outcome="error")["value"] == 2


def test_only_what_may_pass_is_tried_again():
    calls = Flaky(9)
    with pytest.raises(ConnectionError):
        Retry("inventory.internal", on=(TimeoutError,))(calls)()
    assert calls.calls == 1


def test_the_wait_is_random_over_all_of_its_range():
    """Full jitter: callers that failed together do not come back together."""
    waits: list[float] = []
    again = Retry("x", on=(ConnectionError,), attempts=200, first_wait=1, longest_wait=4, budget=RetryBudget(most=1000), sleep=waits.append)
    with pytest.raises(ConnectionError):
        again(Flaky(1000))()
    assert len(waits) == 199
    assert waits[0] <= 1
    assert waits[1] <= 2
    assert min(waits) < 0.4
    assert 3.6 < max(waits) <= 4


def test_the_called_server_may_say_when_and_nobody_waits_longer_than_he_said():
    waits: list[float] = []
    asked: list[float | None] = [0.7, None, 60.0]
    again = Retry(
        "x", on=(ConnectionError,), attempts=9, first_wait=0, longest_wait=5, wait=lambda _error: asked.pop(0), sleep=waits.append
    )
    with pytest.raises(ConnectionError):
        again(Flaky(99))()
    assert waits == [0.7, 0.0]


def test_a_budget_keeps_retries_to_a_share_of_the_calls(clock):
    budget = RetryBudget(0.1, per_second=0.5, most=2, clock=clock)
    calls = [Flaky(99) for _ in range(100)]
    again = Retry("inventory.internal", on=(ConnectionError,), attempts=2, first_wait=0, budget=budget)
    with capture() as telemetry:
        for call in calls:
            with pytest.raises(ConnectionError):
                again(call)()
        retries = sum(call.calls - 1 for call in calls)
        assert 10 <= retries <= 12
        assert telemetry.point("retry_budget.exhausted", server_address="inventory.internal")["value"] == 100 - retries
    clock.now += 2
    assert budget.withdraw(), "a quiet service may retry too"


def test_nobody_tries_again_for_a_caller_that_is_gone_by_then():
    call = Flaky(99)
    with resilience.within(0.05), pytest.raises(ConnectionError):
        Retry("x", on=(ConnectionError,), wait=lambda _error: 1.0)(call)()
    assert call.calls == 1


def test_a_deadline_within_a_deadline_is_the_earlier_one(monkeypatch, clock):
    monkeypatch.setattr(deadline, "monotonic", clock)
    assert resilience.remaining() is None
    assert resilience.outgoing_headers() == {}
    assert resilience.timeout(5) == 5
    with resilience.within(10):
        with resilience.within(60):
            assert resilience.remaining() == 10
        with resilience.within(2):
            assert resilience.timeout(5) == 2
            assert resilience.outgoing_headers() == {resilience.HEADER: "2000"}
            clock.now += 3
            with pytest.raises(DeadlineExceededError):
                resilience.timeout(5)
            assert resilience.outgoing_headers() == {resilience.HEADER: "0"}
        assert resilience.timeout(5) == 5
    assert resilience.remaining() is None


class Deadlines(resilience.DeadlineMiddleware):
    longest = 5.0


class Shedding(resilience.LoadSheddingMiddleware):
    most_in_flight = 1
    longest_queue = 2.0


def left(request: Any) -> HttpResponse:
    return HttpResponse(f"{resilience.remaining()}")


async def async_left(request: Any) -> HttpResponse:
    return HttpResponse(f"{resilience.remaining()}")


def too_late(request: Any) -> HttpResponse:
    raise DeadlineExceededError("too late")


async def async_too_late(request: Any) -> HttpResponse:
    raise DeadlineExceededError("too late")


DEADLINES = [path("left", left), path("async/left", async_left), path("late", too_late), path("async/late", async_too_late)]
THIS = "tests.instrumentation.patterns.test_resilience"


@pytest.mark.parametrize(("ask", "at"), [(ask_sync, "/"), (ask_async, "/async/")])
def test_a_request_has_what_its_caller_leaves_it(ask, at):
    with serving(DEADLINES, middleware=[f"{THIS}.Deadlines"]):
        assert 0 < float(ask(f"{at}left", headers={resilience.HEADER: "1500"}).content) <= 1.5
        for nonsense in ("", "-1", "1e3", "²", "\xff", "9" * 5000, "1500; drop"):
            assert 1.5 < float(ask(f"{at}left", headers={resilience.HEADER: nonsense}).content) <= 5, nonsense
        assert resilience.remaining() is None


@pytest.mark.parametrize(("ask", "at"), [(ask_sync, "/"), (ask_async, "/async/")])
def test_what_comes_too_late_is_answered_504(ask, at):
    with capture() as telemetry, serving(DEADLINES, middleware=[f"{THIS}.Deadlines"]):
        assert ask(f"{at}left", headers={resilience.HEADER: "0"}).status_code == 504
        assert ask(f"{at}late").status_code == 504
        assert telemetry.point("load.shed", reason="deadline")["value"] == 1


def test_a_deadline_leaves_with_an_outbound_call():
    with resilience.within(1):
        ((name, value),) = resilience.outgoing_headers().items()
    assert name == "X-Envoy-Expected-Rq-Timeout-Ms"
    assert 0 < int(value) <= 1000


def test_as_a_format_of_trace_headers_it_leaves_with_every_call_that_is_followed():
    def call() -> None:
        with pytest.raises(httpx.ConnectError):
            httpx.get("http://127.0.0.1:1/")

    with capture({"traces": {"propagators": ["tracecontext", "baggage", "deadline"]}}) as telemetry:
        call()
        with resilience.within(1):
            call()
        without, with_it = telemetry.outgoing_headers
    assert resilience.HEADER not in without
    assert 0 < int(with_it[resilience.HEADER]) <= 1000
    assert "traceparent" in with_it


entered, release = threading.Event(), threading.Event()


def busy(request: Any) -> HttpResponse:
    entered.set()
    release.wait(30)
    return HttpResponse("done")


def boom(request: Any) -> HttpResponse:
    raise RuntimeError


SHED = [path("busy", busy), path("left", left), path("boom", boom), path("readyz", left)]


def test_who_comes_while_there_is_enough_to_do_is_turned_away_and_probes_are_not():
    entered.clear()
    release.clear()
    from django.test import Client

    with capture() as telemetry, serving(SHED, middleware=[f"{THIS}.Shedding"]):
        client = Client(raise_request_exception=False)
        assert client.get("/boom").status_code == 500
        assert client.get("/left").status_code == 200, "a place is given back, whatever happened"
        answers: list[int] = []
        thread = threading.Thread(target=lambda: answers.append(client.get("/busy").status_code))
        thread.start()
        assert entered.wait(30)
        turned_away = client.get("/left")
        assert (turned_away.status_code, turned_away["Retry-After"]) == (503, "1")
        assert client.get("/readyz").status_code == 200
        release.set()
        thread.join(30)
        assert answers == [200]
        assert client.get("/left").status_code == 200
        assert telemetry.point("load.shed", reason="concurrency")["value"] == 1


@pytest.mark.parametrize("ask", BOTH)
def test_who_waited_too_long_in_front_of_the_service_is_turned_away(ask):
    long_ago = {"X-Request-Start": "t=1000"}
    with serving(SHED, middleware=[f"{THIS}.Shedding"]):
        assert ask("/left", headers=long_ago).status_code == 200, "so long a wait is a broken clock"
        import time

        waited = {"X-Request-Start": f"t={time.time() - 60}"}
        assert ask("/left", headers=waited).status_code == 503
        assert ask("/readyz", headers=waited).status_code == 200
        assert ask("/left", headers={"X-Request-Start": "nonsense"}).status_code == 200
        with capture() as telemetry:
            assert ask("/left", headers=waited).status_code == 503
            assert telemetry.point("load.shed", reason="queue_time")["value"] == 1
        with capture({"requests": {"trust_incoming": "never"}}):
            assert ask("/left", headers=waited).status_code == 200, "of whom nothing is believed"


def test_an_answer_with_less_is_counted_by_what_it_lacks_and_why():
    async def prices() -> int:
        raise ConnectionError("hunter2")

    with capture() as telemetry:
        with trace.get_tracer("tests").start_as_current_span("basket"):
            assert resilience.fall_back(failing, lambda: None, feature="prices") is None
            assert asyncio.run(resilience.fall_back_async(prices, lambda: 7, feature="prices")) == 7
            assert resilience.fall_back(fine, fine, feature="prices") == "fine"
            resilience.degraded("recommendations", "flag")
        assert telemetry.point("degraded.responses", feature="prices", reason="ConnectionError")["value"] == 2
        assert telemetry.point("degraded.responses", feature="recommendations", reason="flag")["value"] == 1
        assert [event["name"] for event in telemetry.span("basket")["events"]].count("degraded") >= 2
        assert "hunter2" not in str(telemetry.metrics) + str(telemetry.spans)
    with pytest.raises(ZeroDivisionError):
        resilience.fall_back(lambda: 1 / 0, fine, feature="prices", on=(ConnectionError,))


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_that_is_reported_can_raise(name):
    """B5: with the kit and without."""
    value = HOSTILE[name]

    def report() -> None:
        resilience.breaker_rejected(value)
        resilience.retried(value, ok=True)
        resilience.budget_exhausted(value)
        resilience.degraded(value, value)
        resilience.shed(value)

    report()
    with capture() as telemetry, trace.get_tracer("tests").start_as_current_span("hostile"):
        report()
        assert telemetry.metrics["load.shed"]


def test_nothing_is_recorded_while_the_kit_is_off():
    """A25."""
    resilience.shed("concurrency")
    resilience.degraded("prices", "flag")
    with capture() as telemetry:
        assert not {"load.shed", "degraded.responses", "http.client.retries", "retry_budget.exhausted"} & set(telemetry.metrics)
