"""Feature flags: OpenFeature's evaluations as a metric and an event, without who they were for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from openfeature import api
from openfeature.evaluation_context import EvaluationContext
from openfeature.provider.in_memory_provider import InMemoryFlag, InMemoryProvider

from otelkit.patterns import flags
from otelkit.testing import capture
from tests.instrumentation.logs.hostile import HOSTILE
from tests.instrumentation.patterns.serving import values

PROVIDED = {
    "new-basket": InMemoryFlag("on", {"on": True, "off": False}),
    "banner": InMemoryFlag("red", {"red": "#f00", "blue": "#00f"}),
}


@pytest.fixture(autouse=True)
def client() -> Iterator[Any]:
    api.set_provider(InMemoryProvider(PROVIDED))
    api.add_hooks([flags.hook()])
    yield api.get_client()
    api.clear_hooks()
    api.shutdown()


def ask_sync(client: Any) -> list[Any]:
    who = EvaluationContext("alice@shop.example", {"card": "4111111111111111"})
    return [
        client.get_boolean_value("new-basket", False, who),
        client.get_string_value("banner", "", who),
        client.get_integer_value("gone", 7),
    ]


def ask_async(client: Any) -> list[Any]:
    async def ask() -> list[Any]:
        who = EvaluationContext("alice@shop.example", {"card": "4111111111111111"})
        return [
            await client.get_boolean_value_async("new-basket", False, who),
            await client.get_string_value_async("banner", "", who),
            await client.get_integer_value_async("gone", 7),
        ]

    return asyncio.run(ask())


@pytest.mark.parametrize("ask", [ask_sync, ask_async])
def test_evaluations_are_counted_by_flag_and_variant_and_said_in_the_trace(ask, client):
    with capture() as telemetry:
        with telemetry.runtime.tracer.start_as_current_span("request"):
            assert ask(client) == [True, "#f00", 7]
        assert values(telemetry, "feature_flag.evaluations") == {("new-basket", "on"): 1, ("banner", "red"): 1, ("gone", None): 1}
        events = telemetry.span("request")["events"]
        assert [event["name"] for event in events] == ["feature_flag.evaluation"] * 3
        assert events[0]["attributes"] == {
            "feature_flag.key": "new-basket",
            "feature_flag.result.variant": "on",
            "feature_flag.result.reason": "static",
            "feature_flag.provider.name": "In-Memory Provider",
        }
        assert "alice" not in str(telemetry.spans) + str(telemetry.metrics)


def test_while_the_kit_is_off_flags_work_and_nothing_is_kept(client):
    """A25."""
    assert ask_sync(client) == [True, "#f00", 7]
    with capture() as telemetry:
        assert values(telemetry, "feature_flag.evaluations") == {}


class Details:
    flag_key = "switch"
    reason = None

    def __init__(self, value: object) -> None:
        self.value = value
        self.variant = None


@pytest.mark.parametrize(("value", "variant"), [(True, "true"), (False, "false"), ("secret", None), (7, None)])
def test_a_value_that_is_no_variant_is_not_recorded_unless_it_is_a_switch(value, variant):
    with capture() as telemetry:
        flags.hook().finally_after(type("Context", (), {"provider_metadata": None}), Details(value), {})
        assert values(telemetry, "feature_flag.evaluations") == {("switch", variant): 1}


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_that_is_reported_can_raise(name):
    """B5."""
    value = HOSTILE[name]
    flags.evaluated(value, value, reason=value, provider=value)
    with capture() as telemetry, telemetry.runtime.tracer.start_as_current_span("hostile"):
        flags.evaluated(value, value, reason=value, provider=value)
        flags.hook().finally_after(value, value, value)
        assert telemetry.metrics["feature_flag.evaluations"]
