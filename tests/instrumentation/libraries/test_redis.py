"""redis: commands, pipelines and transactions, sync and async, of a real server."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.cache import cache
from django.test import override_settings

from otelkit.testing import Telemetry, capture
from tests.instrumentation.asking import BOTH
from tests.instrumentation.libraries.caching import NO_REDIS, a_redis
from tests.receivers import refused_endpoint

pytest.importorskip("redis", reason="redis is not installed: pip install redis")

import redis
from redis import asyncio as async_redis
from redis.asyncio import client as async_client
from redis.asyncio import cluster as async_cluster
from redis.client import Pipeline
from redis.cluster import ClusterPipeline, RedisCluster

from otelkit.libraries.redis import LIBRARY, _command

METRIC = "db.client.operation.duration"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if shutil.which("redis-server") is None:
        pytest.skip(NO_REDIS)
    with a_redis(tmp_path_factory.mktemp("redis")) as found:
        yield f"{found}/3"


def by_operation(telemetry: Telemetry) -> dict[tuple[str, str | None], int]:
    found = {}
    for point in telemetry.metrics.get(METRIC, []):
        labels = point["attributes"]
        if labels["db.system.name"] == "redis":
            found[labels["db.operation.name"], labels.get("error.type")] = point["count"]
    return found


def use(address: str) -> list[Any]:
    with redis.Redis.from_url(address) as client:
        got: list[Any] = [client.set("a secret key", "a secret value"), client.get("a secret key")]
        with client.pipeline(transaction=False) as pipeline:
            got += pipeline.get("a secret key").get("b").execute()
        with client.pipeline() as transaction:
            got += transaction.incr("n").expire("n", 60).execute()
            got += transaction.execute()
        with client.pipeline() as watching:
            watching.watch("n")
            got.append(watching.get("n"))
            watching.multi()
            got += watching.set("n", 0).execute()
        with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
            client.lpush("a secret key", "x")
        return [*got, client.flushdb()]


async def use_async(address: str) -> list[Any]:
    async with async_redis.Redis.from_url(address) as client:
        got: list[Any] = [await client.set("a secret key", "a secret value"), await client.get("a secret key")]
        async with client.pipeline(transaction=False) as pipeline:
            got += await pipeline.get("a secret key").get("b").execute()
        async with client.pipeline() as transaction:
            got += await transaction.incr("n").expire("n", 60).execute()
            got += await transaction.execute()
        async with client.pipeline() as watching:
            await watching.watch("n")
            got.append(await watching.get("n"))
            watching.multi()
            got += await watching.set("n", 0).execute()
        with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
            await client.lpush("a secret key", "x")
        return [*got, await client.flushdb()]


def in_a_loop(work: Callable[[str], Awaitable[list[Any]]]) -> Callable[[str], list[Any]]:
    async def run(address: str) -> list[Any]:
        return await work(address)

    return lambda address: asyncio.run(run(address))


@pytest.mark.parametrize("work", [use, in_a_loop(use_async)], ids=["sync", "async"])
def test_every_command_is_measured_and_answers_as_without_us(address, work):
    """A18, C1: no key and no value leaves."""
    without = work(address)
    with capture() as telemetry:
        with telemetry.runtime.tracer.start_as_current_span("work"):
            assert work(address) == without
        assert by_operation(telemetry) == {
            ("SET", None): 1,
            ("GET", None): 2,
            ("PIPELINE GET", None): 1,
            ("MULTI", None): 1,
            ("WATCH", None): 1,
            ("MULTI SET", None): 1,
            ("LPUSH", "ResponseError"): 1,
            ("FLUSHDB", None): 1,
        }
        assert {metric.name for metric in LIBRARY.emits} <= set(telemetry.metrics)
        root = telemetry.span("work")
        spans = [span for span in telemetry.spans if span["kind"] == "CLIENT"]
        assert len(spans) == 9
        assert {span["parent_span_id"] for span in spans} == {root["span_id"]}
        host, port = address.removeprefix("redis://").removesuffix("/3").split(":")
        assert telemetry.span("SET")["attributes"] == {
            "db.system.name": "redis",
            "db.namespace": "3",
            "db.operation.name": "SET",
            "server.address": host,
            "server.port": int(port),
        }
        assert telemetry.span("PIPELINE GET")["attributes"]["db.operation.batch.size"] == 2
        failed = telemetry.span("LPUSH")
        assert (failed["status"], failed["attributes"]["error.type"]) == ("ERROR", "ResponseError")
        assert "secret" not in str(list(telemetry.outputs()))


def test_outside_of_a_trace_commands_are_measured_and_start_none(address):
    with capture() as telemetry, redis.Redis.from_url(address) as client:
        client.get("a")
        assert telemetry.spans == []
        assert by_operation(telemetry) == {("GET", None): 1}


def test_a_server_that_is_away_is_an_error_of_the_command():
    with capture() as telemetry, redis.Redis.from_url(refused_endpoint().replace("http", "redis"), retry=None) as client:
        with pytest.raises(redis.ConnectionError):
            client.get("a")
        assert by_operation(telemetry) == {("GET", "ConnectionError"): 1}


@pytest.mark.parametrize("ask", BOTH)
def test_within_djangos_cache_its_time_is_the_caches(address, ask):
    """Each second counts for one phase: a command that the cache sends is no outbound call of the request."""
    settings = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": address}}
    with override_settings(CACHES=settings), capture() as telemetry:
        assert ask("/cached").content == b"tea"
        assert by_operation(telemetry)["GET", None] >= 1
        phases = {point["attributes"]["phase"]: point["sum"] for point in telemetry.metrics["django.request.phase.duration"]}
        assert "outbound" not in phases
        assert sum(phases.values()) == pytest.approx(telemetry.point("http.server.request.duration")["sum"], abs=1e-3)
        server = telemetry.span("GET /cached")
        assert {span["parent_span_id"] for span in telemetry.spans if span["attributes"].get("db.system.name") == "redis"} == {
            server["span_id"]
        }
        cache.clear()


def test_a_cluster_is_followed_too(tmp_path):
    if shutil.which("redis-server") is None:
        pytest.skip(NO_REDIS)
    with a_redis(tmp_path, "--cluster-enabled", "yes") as address:
        host, _, port = address.removeprefix("redis://").partition(":")
        with redis.Redis(host=host, port=int(port)) as server:
            server.execute_command("CLUSTER ADDSLOTSRANGE", 0, 16383)
            deadline = time.monotonic() + 20
            while server.cluster("INFO")["cluster_state"] != "ok":
                assert time.monotonic() < deadline, "the cluster of one does not come up"

        async def ask() -> list[Any]:
            async with async_redis.RedisCluster(host=host, port=int(port)) as client:
                return [await client.get("a"), await client.pipeline().get("a").get("b").execute()]

        with capture() as telemetry:
            with RedisCluster(host=host, port=int(port)) as client:
                assert [client.set("a", 1), client.pipeline().get("a").get("b").execute()] == [True, [b"1", None]]
            assert asyncio.run(ask()) == [b"1", [b"1", None]]
            found = by_operation(telemetry)
        assert (found["SET", None], found["GET", None], found["PIPELINE", None]) == (1, 1, 2)


@pytest.mark.parametrize("first", ["ours", "theirs"])
def test_a_command_has_one_span_where_opentelemetrys_instrumentation_is_active_too(address, first):
    """A4: whoever stands outside."""
    upstream = pytest.importorskip("opentelemetry.instrumentation.redis", reason="opentelemetry-instrumentation-redis is not installed")
    theirs = upstream.RedisInstrumentor()
    try:
        if first == "theirs":
            theirs.instrument()
        with capture() as telemetry:
            if first == "ours":
                theirs.instrument()
            with telemetry.runtime.tracer.start_as_current_span("work"), redis.Redis.from_url(address) as client:
                client.get("a")
            assert by_operation(telemetry) == {("GET", None): 1}
            assert len(telemetry.spans) == 2
    finally:
        theirs.uninstrument()


def test_an_empty_pipeline_sends_nothing(address):
    with capture() as telemetry, redis.Redis.from_url(address) as client:
        assert client.pipeline().execute() == []
        assert by_operation(telemetry) == {}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("get", "k"), "GET"),
        ((b"FT.SEARCH",), "FT.SEARCH"),
        (("CONFIG GET", "x"), "CONFIG GET"),
        (("GET secret-key-0123456789-0123456789",), "_OTHER"),
        (("g\u00e9t",), "_OTHER"),
        (("",), "_OTHER"),
        ((), "_OTHER"),
        ((5,), "_OTHER"),
        ((["GET"],), "_OTHER"),
        (("\ud800",), "_OTHER"),
    ],
)
def test_a_command_is_a_command_or_other(given, said):
    """A11, B5: a mistake makes no series."""
    assert _command(given) == said


def owners() -> list[tuple[Any, str]]:
    return [
        *((kind, "execute_command") for kind in (redis.Redis, async_redis.Redis, RedisCluster, async_cluster.RedisCluster)),
        *((kind, "immediate_execute_command") for kind in (Pipeline, async_client.Pipeline)),
        *((kind, "execute") for kind in (Pipeline, async_client.Pipeline, ClusterPipeline, async_cluster.ClusterPipeline)),
    ]


def test_stop_gives_everything_its_own_methods_back():
    """A26."""
    before = [vars(owner)[name] for owner, name in owners()]
    with capture():
        assert not any(vars(owner)[name] is own for (owner, name), own in zip(owners(), before, strict=True))
    assert [vars(owner)[name] for owner, name in owners()] == before


def test_a_failure_of_ours_does_not_reach_the_command(address, monkeypatch, caplog):
    """B6."""
    with capture(), redis.Redis.from_url(address) as client:
        monkeypatch.setattr("otelkit.libraries.redis.is_suppressed", lambda: 1 / 0)
        assert client.ping() is True
        monkeypatch.undo()
        monkeypatch.setattr("otelkit.libraries.redis._server_of", lambda client: 1 / 0)
        assert client.ping() is True
        monkeypatch.undo()
    assert "could not follow a command of Redis" in caplog.text
    assert "could not record a command of Redis" in caplog.text


def test_threads_do_not_see_one_anothers_commands(address):
    """B7."""
    with capture() as telemetry, redis.Redis.from_url(address) as client:
        tracer = telemetry.runtime.tracer

        def work(number: int) -> None:
            with tracer.start_as_current_span(f"work {number}"):
                client.set(f"key-{number}", number)

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(work, range(200)))
        spans = telemetry.spans
        roots = {span["span_id"] for span in spans if span["name"].startswith("work")}
        assert {span["parent_span_id"] for span in spans if span["name"] == "SET"} == roots
        assert len(roots) == 200
        assert "key-" not in json.dumps(spans)
        client.flushdb()
