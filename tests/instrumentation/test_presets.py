"""The presets are what they say."""

from __future__ import annotations

import logging
import threading

from django.test import Client

from otelkit import startup
from otelkit.config import PRESETS, load


def test_each_preset_is_known_by_its_name_and_can_be_chosen():
    for name in ("development", "test", "production", "high_traffic", "pull"):
        assert PRESETS[name].preset == name
        assert load({"preset": name}, {}).preset == name
        assert load({}, {"OTELKIT_PRESET": name}).preset == name


def test_a_preset_is_the_ground_that_settings_and_environment_change():
    """Precedence: preset < OTELKIT < environment."""
    assert load({"preset": "high_traffic"}, {}).traces.sample_ratio == 0.1
    assert load({"preset": "high_traffic", "traces": {"sample_ratio": 0.5}}, {}).traces.sample_ratio == 0.5
    chosen = load({"preset": "high_traffic", "traces": {"sample_ratio": 0.5}}, {"OTEL_TRACES_SAMPLER_ARG": "0.2"})
    assert (chosen.traces.sample_ratio, chosen.export.batch_size) == (0.2, 2048)


def test_the_test_preset_sends_nothing_and_leaves_logging_alone():
    root, threads = list(logging.getLogger().handlers), {thread for thread in threading.enumerate() if thread.is_alive()}
    runtime = startup.start(load({"preset": "test"}, {}))
    try:
        assert runtime is not None
        assert Client().get("/items/1").status_code == 200
        assert logging.getLogger().handlers == root
        assert set(threading.enumerate()) <= threads
    finally:
        startup.stop()


def test_the_pull_preset_serves_metrics_and_pushes_only_the_rest():
    runtime = startup.start(load({"preset": "pull"}, {}))
    try:
        assert runtime is not None
        client = Client()
        client.get("/items/1")
        assert b'http_route="/items/{pk}"' in client.get("/metrics").content
        assert runtime.config.traces.exporters == ("otlp",)
        assert "otlp" not in runtime.config.metrics.exporters
    finally:
        runtime.exporter.shutdown(0)
        startup.stop()
