"""Django's caches: what was asked, how long it took and whether it was there, for every backend, sync and async."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.cache import cache, caches
from django.core.cache.backends.base import BaseCache, InvalidCacheKey
from django.core.cache.backends.locmem import LocMemCache
from django.core.management import call_command
from django.db import connections
from django.test import override_settings

from otelkit.libraries.django_cache import LIBRARY, OPERATIONS
from otelkit.testing import Telemetry, capture
from tests.instrumentation.asking import BOTH
from tests.instrumentation.libraries import caching
from tests.instrumentation.libraries.caching import NO_REDIS, a_redis

HERE = "tests.instrumentation.libraries.caching"
IN_MEMORY = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "tests"}
METRIC = "django.cache.operation.duration"


@pytest.fixture(scope="module")
def redis_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with a_redis(tmp_path_factory.mktemp("redis")) as address:
        yield address


@pytest.fixture(params=["locmem", "file", "database", "redis", "dummy"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Each of Django's backends as the cache "default"."""
    configured: dict[str, Any] = {"BACKEND": "", "LOCATION": "tests"}
    if request.param == "redis":
        if shutil.which("redis-server") is None:
            pytest.skip(NO_REDIS)
        pytest.importorskip("redis", reason="redis is not installed: pip install redis")
        configured["LOCATION"] = request.getfixturevalue("redis_address")
    if request.param == "file":
        configured["LOCATION"] = str(tmp_path)
    if request.param == "database":
        configured["LOCATION"] = "tests_cache"
    name = {"locmem": "LocMemCache", "file": "FileBasedCache", "database": "DatabaseCache", "redis": "RedisCache", "dummy": "DummyCache"}
    module = {"file": "filebased", "database": "db"}.get(request.param, request.param)
    configured["BACKEND"] = f"django.core.cache.backends.{module}.{name[request.param]}"
    with override_settings(CACHES={"default": configured}):
        if request.param == "database":
            call_command("createcachetable", verbosity=0)
        cache.clear()
        yield request.param
        cache.clear()


@pytest.fixture
def memory() -> Iterator[None]:
    with override_settings(CACHES={"default": IN_MEMORY}):
        cache.clear()
        yield
        cache.clear()


def outcomes(telemetry: Telemetry, name: str = "default") -> Counter[tuple[str, str]]:
    """How often each operation ended in each way."""
    found: Counter[tuple[str, str]] = Counter()
    for point in telemetry.metrics.get(METRIC, []):
        labels = point["attributes"]
        if labels.get("cache.name") == name:
            found[labels["cache.operation"], labels["cache.outcome"]] += point["count"]
    return found


def use_it(has_memory: bool) -> dict[str, Any]:
    """Every operation once or twice; what came of it."""
    got: dict[str, Any] = {"absent": cache.get("a"), "absent with default": cache.get("a", 7), "by name": cache.get("a", default=8)}
    got["add"] = cache.add("a", 1)
    got["present"] = cache.get("a", 1)
    got["set"] = cache.set("b", None)
    got["none is a value"] = cache.get("b", "default")
    got["many"] = cache.get_many(key for key in ("a", "b"))
    got["many, one absent"] = cache.get_many(["a", "c"])
    got["in"] = ("a" in cache, cache.has_key("c"))
    got["made"] = cache.get_or_set("d", lambda: 5)
    got["kept"] = cache.get_or_set("d", 6)
    got["touch"] = cache.touch("a")
    got["set many"] = cache.set_many({"e": 1, "f": 2})
    if has_memory:
        got["incr"], got["decr"] = cache.incr("a"), cache.decr("a")
    with pytest.raises(ValueError, match="not found"):
        cache.incr("nowhere")
    got["delete"] = (cache.delete("a"), cache.delete_many(["e", "f"]))
    return got


async def use_it_async(has_memory: bool) -> dict[str, Any]:
    """The same through the async methods."""
    got: dict[str, Any] = {
        "absent": await cache.aget("a"),
        "absent with default": await cache.aget("a", 7),
        "by name": await cache.aget("a", default=8),
    }
    got["add"] = await cache.aadd("a", 1)
    got["present"] = await cache.aget("a", 1)
    got["set"] = await cache.aset("b", None)
    got["none is a value"] = await cache.aget("b", "default")
    got["many"] = await cache.aget_many(key for key in ("a", "b"))
    got["many, one absent"] = await cache.aget_many(["a", "c"])
    got["in"] = (await cache.ahas_key("a"), await cache.ahas_key("c"))
    got["made"] = await cache.aget_or_set("d", lambda: 5)
    got["kept"] = await cache.aget_or_set("d", 6)
    got["touch"] = await cache.atouch("a")
    got["set many"] = await cache.aset_many({"e": 1, "f": 2})
    if has_memory:
        got["incr"], got["decr"] = await cache.aincr("a"), await cache.adecr("a")
    with pytest.raises(ValueError, match="not found"):
        await cache.aincr("nowhere")
    got["delete"] = (await cache.adelete("a"), await cache.adelete_many(["e", "f"]))
    return got


def in_a_loop(use: Callable[[bool], Awaitable[dict[str, Any]]]) -> Callable[[bool], dict[str, Any]]:
    async def run(has_memory: bool) -> dict[str, Any]:
        try:
            return await use(has_memory)
        finally:
            await sync_to_async(connections.close_all)()

    return lambda has_memory: asyncio.run(run(has_memory))


@pytest.mark.parametrize("use", [use_it, in_a_loop(use_it_async)], ids=["sync", "async"])
def test_every_call_counts_once_and_answers_as_without_us(backend, use):
    """A18, A25: the same results with the kit and without; no method that another one calls is counted beside it."""
    has_memory = backend != "dummy"
    without = use(has_memory)
    cache.clear()
    with capture() as telemetry:
        within = use(has_memory)
        found = outcomes(telemetry)
        assert set(telemetry.metrics) & {metric.name for metric in LIBRARY.emits} == {metric.name for metric in LIBRARY.emits}
    assert within == without
    if not has_memory:
        assert found["get", "miss"] == 5
        assert not [outcome for _, outcome in found if outcome in ("hit", "error")]
        return
    assert found == {
        ("get", "miss"): 3,
        ("get", "hit"): 2,
        ("add", "ok"): 1,
        ("set", "ok"): 1,
        ("get_many", "hit"): 1,
        ("get_many", "miss"): 1,
        ("has_key", "hit"): 1,
        ("has_key", "miss"): 1,
        ("get_or_set", "miss"): 1,
        ("get_or_set", "hit"): 1,
        ("touch", "ok"): 1,
        ("set_many", "ok"): 1,
        ("incr", "ok"): 1,
        ("decr", "ok"): 1,
        ("incr", "miss"): 1,
        ("delete", "ok"): 1,
        ("delete_many", "ok"): 1,
    }


def test_an_error_of_the_server_goes_through_and_counts():
    with override_settings(CACHES={"default": {"BACKEND": f"{HERE}.Broken"}}), capture() as telemetry:
        with pytest.raises(ConnectionError, match="is away"):
            cache.get("a")
        with pytest.raises(ConnectionError, match="is away"):
            asyncio.run(cache.aset("a", 1))
        assert outcomes(telemetry) == {("get", "error"): 1, ("set", "error"): 1}


class Odd(str):
    """A key that raises where it is looked at."""

    __slots__ = ()

    def __hash__(self) -> int:
        raise LookupError("no hash")


@pytest.mark.parametrize("key", ["", "with space", "x" * 300, "nul\0", "\ud800", 7, None, ("a", 1), b"bytes", Odd("odd")], ids=ascii)
@pytest.mark.filterwarnings("ignore::django.core.cache.CacheKeyWarning")
def test_no_key_makes_a_difference(memory, key):
    """B5, C1: hostile keys; none of them is in what is recorded."""

    def ask() -> list[str]:
        told = []
        for call in (lambda: cache.get(key, 3), lambda: cache.get_many([key]), lambda: cache.has_key(key), lambda: cache.set(key, 1)):
            try:
                told.append(repr(call()))
            except Exception as error:  # noqa: BLE001  (whatever it is, it is the same with the kit)
                told.append(repr(error))
        return told

    without = ask()
    cache.clear()
    with capture({"libraries": {"slow_step": 0}}) as telemetry, telemetry.runtime.tracer.start_as_current_span("work"):
        within = ask()
        recorded = json.dumps(telemetry.spans) + json.dumps(telemetry.metrics[METRIC])
    assert within == without
    assert "x" * 300 not in recorded
    assert "with space" not in recorded


def test_a_key_that_no_backend_takes_is_an_error_of_the_call():
    with override_settings(CACHES={"default": {"BACKEND": f"{HERE}.Strict"}}), capture() as telemetry:
        with pytest.raises(InvalidCacheKey):
            cache.get("x" * 300)
        assert outcomes(telemetry) == {("get", "error"): 1}


@pytest.mark.parametrize("ask", BOTH)
def test_a_request_knows_its_hits_misses_and_time(memory, ask):
    with capture() as telemetry:
        assert ask("/cached").content == b"tea"
        span = telemetry.span("GET /cached")["attributes"]
        assert (span["cache.hits"], span["cache.misses"]) == (3, 2)
        assert span["django.request.phase.cache_ms"] > 0
        (line,) = [line for line in telemetry.lines if line.get("event.name") == "http.request"]
        assert (line["cache.hits"], line["cache.misses"]) == (3, 2)
        phases = {point["attributes"]["phase"]: point["sum"] for point in telemetry.metrics["django.request.phase.duration"]}
        assert phases["cache"] == pytest.approx(span["django.request.phase.cache_ms"] / 1000)
        assert phases["db"] > 0, "a query that computes the value is the query's"
        assert sum(phases.values()) == pytest.approx(telemetry.point("http.server.request.duration")["sum"], abs=1e-3)


def test_a_request_without_a_cache_says_nothing_of_it():
    with capture() as telemetry:
        BOTH[0]("/items/7")
        assert not [key for key in telemetry.span("GET /items/{pk}")["attributes"] if "cache" in key]
        assert not [key for line in telemetry.lines for key in line if "cache" in key]


def test_what_computes_a_value_is_no_part_of_the_call(memory):
    """It may ask caches itself, and take its time: with a clock that moves a millisecond at each look, that shows."""
    with capture(fixed=True) as telemetry:
        assert cache.get_or_set("outer", lambda: cache.get("inner", 4)) == 4
        assert outcomes(telemetry) == {("get_or_set", "miss"): 1, ("get", "miss"): 1}
        assert telemetry.point(METRIC, cache_operation="get_or_set")["sum"] == pytest.approx(0.002)


def test_a_cache_behind_a_cache_has_its_samples_and_the_request_asked_once():
    settings = {"default": IN_MEMORY, "two": {"BACKEND": f"{HERE}.TwoLevels", "LOCATION": "two"}}
    with override_settings(CACHES=settings), capture() as telemetry:
        caches["default"].set("a", 1)
        assert caches["two"].get("a") == 1
        assert outcomes(telemetry)["get", "hit"] == 1
        assert outcomes(telemetry, "two") == {("get", "hit"): 1}


@pytest.mark.parametrize("kind", ["KeyOnly", "Unhashable"])
def test_a_projects_own_backend_may_be_odd(kind):
    with override_settings(CACHES={"default": {"BACKEND": f"{HERE}.{kind}", "LOCATION": kind}}), capture() as telemetry:
        cache.set("a", 1)
        assert cache.get("a") == 1
        assert outcomes(telemetry)["set", "ok"] == 1
        assert sum(outcomes(telemetry).values()) == 2


def test_a_cache_that_no_setting_names_has_no_name(memory):
    with capture() as telemetry:
        assert LocMemCache("apart", {}).get("a") is None
        assert "cache.name" not in telemetry.point(METRIC)["attributes"]


def test_spans_of_calls_are_for_development_and_for_slow_ones(memory):
    with capture() as telemetry, telemetry.runtime.tracer.start_as_current_span("work"):
        cache.get("a")
        assert telemetry.spans == []
    with capture({"libraries": {"slow_step": 0}}) as telemetry:
        with telemetry.runtime.tracer.start_as_current_span("work"):
            cache.get("a")
        span = telemetry.span("cache get")
        assert span["parent_span_id"] == telemetry.span("work")["span_id"]
        assert (span["kind"], span["attributes"]) == ("INTERNAL", {"cache.name": "default", "cache.operation": "get"})
    with capture({"libraries": {"slow_step": 0.001}}, fixed=True) as telemetry:  # whose clock moves a millisecond at each look
        with telemetry.runtime.tracer.start_as_current_span("work"):
            cache.get("a")
        assert telemetry.span("cache get")["parent_span_id"] == telemetry.span("work")["span_id"]


def defined(kind: type) -> dict[str, Any]:
    return {name: vars(kind).get(name) for operation in OPERATIONS for name in (operation, f"a{operation}")}


def test_stop_gives_every_class_its_own_methods_back_also_in_other_threads(memory):
    """A26: a cache belongs to the thread that opened it; the classes are everybody's."""
    before = {kind: defined(kind) for kind in (BaseCache, LocMemCache)}
    with ThreadPoolExecutor(1) as other:
        with capture() as telemetry:
            assert defined(LocMemCache) != before[LocMemCache]
            other.submit(cache.set, "a", 1).result(10)  # this thread's cache, from the other one
            other.submit(lambda: cache.set("a", 1)).result(10)
            assert outcomes(telemetry) == {("set", "ok"): 2}
        assert {kind: defined(kind) for kind in (BaseCache, LocMemCache)} == before
        with capture() as telemetry:
            assert other.submit(lambda: cache.get("a")).result(10) == 1
            assert outcomes(telemetry) == {("get", "hit"): 1}


def test_switched_off_or_disabled_nothing_is_replaced(memory):
    """A25."""
    before = defined(LocMemCache)
    with capture({"libraries": {"disabled": ["django_cache"]}}) as telemetry:
        assert defined(LocMemCache) == before
        cache.get("a")
        assert METRIC not in telemetry.metrics


def test_an_excluded_path_has_no_calls_either(memory):
    """A13."""
    with capture({"requests": {"excluded_paths": ["/cached"]}}) as telemetry:
        assert BOTH[0]("/cached").status_code == 200
        assert METRIC not in telemetry.metrics


def test_a_failure_of_ours_does_not_reach_the_caller(memory, monkeypatch, caplog):
    """B6."""
    with capture():
        cache.set("a", 1)
        monkeypatch.setattr("otelkit.libraries.django_cache.is_suppressed", lambda: 1 / 0)
        assert cache.get("a") == 1
        assert "the call itself is not affected" in caplog.text
        monkeypatch.undo()
        monkeypatch.setattr("otelkit.metrics.aggregator.Histogram.record", lambda *_: 1 / 0)
        assert cache.get("a") == 1
        assert "its result is not affected" in caplog.text
        monkeypatch.undo()


def test_a_task_that_began_within_a_call_has_calls_of_its_own(memory):
    """B7: it sees the context of that call for as long as it lives."""

    async def ask() -> None:
        released = asyncio.Event()
        tasks: list[asyncio.Future[Any]] = []

        async def later() -> Any:
            await released.wait()
            return await cache.aget("inner")

        with override_settings(CACHES={"default": {"BACKEND": f"{HERE}.Later"}}):
            caching.Later.begin = lambda: None if tasks else tasks.append(asyncio.ensure_future(later()))
            await cache.aget("outer")
            released.set()
            await tasks[0]

    with capture() as telemetry:
        asyncio.run(ask())
        assert outcomes(telemetry) == {("get", "miss"): 2}


def test_threads_do_not_see_one_anothers_calls(memory):
    """B7: eight of them, each with requests of its own."""

    def ask(_: int) -> None:
        try:
            for _ in range(25):
                assert BOTH[0]("/cached").content == b"tea"
        finally:
            connections.close_all()  # this thread's own

    with capture() as telemetry:
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(ask, range(8)))
        spans = [span["attributes"] for span in telemetry.spans if span["name"] == "GET /cached"]
        assert len(spans) == 200
        assert {span["cache.hits"] + span["cache.misses"] for span in spans} == {5}
