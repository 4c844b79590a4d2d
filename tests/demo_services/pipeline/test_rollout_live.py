"""The pipeline's last step against the living demo: a good version stays, a bad one is taken back, and both are marked."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

import httpx
import pytest

from otelkit_demo.__main__ import main as demo_command
from otelkit_demo.faults import BAD_VERSION
from otelkit_demo.pipeline.__main__ import main
from otelkit_demo.pipeline.marker import EVENT
from tests.backends import wait_until
from tests.demo_services.running_demo import RunningDemo

GOOD = "1.4.1"


@pytest.fixture
def asked(demo: RunningDemo) -> Iterator[RunningDemo]:
    """The demo, whose catalog many ask, each by a connection of its own: the kernel deals connections to the two versions."""
    over = threading.Event()

    def ask() -> None:
        while not over.wait(0.1):
            try:
                httpx.get(f"{demo.url('catalog')}/api/products", trust_env=False, timeout=10)
            except httpx.HTTPError:
                continue  # a version that ends closes what it has not accepted yet

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    yield demo
    over.set()
    thread.join(20)


def rollout(demo: RunningDemo, version: str, deploy: str, rollback: str, *, watch: int) -> int:
    command, data = f"{sys.executable} -m otelkit_demo", f"--data {demo.folder}"
    call = ["--service", "catalog", "--version", version, "--environment", "demo", "--watch", str(watch), "--window", "30s"]
    stack = demo.url("stack")
    commands = ["--deploy", f"{command} {deploy} {data}", "--rollback", f"{command} {rollback} {data}"]
    return main([*call, *commands, "--otlp", stack, "--prometheus", stack])


def marks(demo: RunningDemo, version: str) -> list[str]:
    """What was marked of that version, the oldest first."""
    with demo.queries as queries:
        lines = [line for line in queries.logs(service="catalog", limit=-1) if line.event_name == EVENT]
    return [str(line.attributes["deployment.status"]) for line in reversed(lines) if line.resource["service.version"] == version]


def test_a_bad_version_is_taken_back(asked: RunningDemo, capfd: pytest.CaptureFixture[str]):
    done = rollout(asked, BAD_VERSION, "fault set deploy.bad_version", "fault clear deploy.bad_version", watch=90)
    said = capfd.readouterr().out
    assert done == 1, said
    assert f"catalog {BAD_VERSION} is taken back: it burns the error budget" in said
    assert asked.faults.shares() == {}
    asked.wait_for_line(f"catalog {BAD_VERSION} is taken back")
    wait_until(lambda: marks(asked, BAD_VERSION)[-2:] == ["started", "failed"], 20, "the deploy is not marked")


def test_a_good_version_stays(asked: RunningDemo, capfd: pytest.CaptureFixture[str]):
    try:
        done = rollout(asked, GOOD, f"deploy catalog {GOOD}", "deploy catalog", watch=30)
        said = capfd.readouterr().out
        assert done == 0, said
        assert f"catalog {GOOD} stays: 0 of " in said
        wait_until(lambda: marks(asked, GOOD)[-2:] == ["started", "succeeded"], 20, "the deploy is not marked")
    finally:
        take_back(asked)


def take_back(demo: RunningDemo) -> None:
    """So that later tests meet one version."""
    assert demo_command(["deploy", "catalog", "--data", str(demo.folder)]) == 0
    demo.wait_for_line(f"catalog {GOOD} is taken back")
