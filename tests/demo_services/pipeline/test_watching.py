"""A deploy that watches itself: when a version stays, and when it is taken back."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain, repeat
from pathlib import Path

import pytest
import yaml

from otelkit_demo.pipeline.__main__ import ENOUGH_REQUESTS, FASTEST, PERIOD, Verdict, main, watch
from otelkit_demo.pipeline.burn import Answers
from tests.backends import free_port

TEMPLATE = Path(__file__).parents[3] / "demo_services" / "pipeline" / "deploy.yml"


def watched(*looks: Answers, seconds: float = 60) -> tuple[Verdict, float]:
    """The verdict on a version that is seen so, the last look for ever; and after how many seconds it was spoken."""
    now = 0.0
    answers = chain(looks, repeat(looks[-1]))

    def sleep(duration: float) -> None:
        nonlocal now
        now += duration

    return watch(lambda: next(answers), seconds=seconds, clock=lambda: now, sleep=sleep), now


def test_a_version_that_answers_well_stays():
    verdict, after = watched(Answers(500, 0))
    assert verdict == Verdict(good=True, reason="0 of 500 requests failed.")
    assert after >= 60


def test_a_version_that_burns_the_budget_is_bad_at_the_first_look_that_shows_it():
    verdict, after = watched(Answers(0, 0), Answers(200, 0), Answers(300, 150))
    assert verdict == Verdict(good=False, reason="it burns the error budget 500 times too fast: 150 of 300 requests failed.")
    assert after == 3 * PERIOD


def test_what_wakes_nobody_takes_nothing_back():
    verdict, _ = watched(Answers(10_000, 10 * FASTEST))
    assert verdict.good


def test_a_few_failures_of_a_few_requests_are_no_evidence():
    verdict, after = watched(Answers(3, 1), Answers(3, 1), Answers(100_000, 1))
    assert verdict.good
    assert after >= 60


def test_a_version_that_nobody_asked_anything_is_not_trusted():
    verdict, _ = watched(Answers(ENOUGH_REQUESTS - 1, 0))
    assert verdict == Verdict(good=False, reason="only 9 requests reached it in 60 s, too few to trust it.")


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[str]]]:
    """Somebody who takes markers and knows no metrics, and what was marked."""
    marked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = json.loads(self.rfile.read(int(self.headers["content-length"])))
            (record,) = content["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
            marked.append(record["body"]["stringValue"])
            self.answer({})

        def do_GET(self) -> None:
            self.answer({"status": "success", "data": {"result": []}})

        def answer(self, body: object) -> None:
            content = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Silence."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", marked
        server.shutdown()
        thread.join()


def deploy(otlp: str, prometheus: str, tmp_path: Path, *, command: str = "touch {}/deployed") -> int:
    call = ["--service", "catalog", "--version", "2.0", "--otlp", otlp, "--prometheus", prometheus, "--watch", "0.1"]
    return main([*call, "--deploy", command.format(tmp_path), "--rollback", f"touch {tmp_path}/rolled-back"])


def test_a_deploy_is_marked_when_it_begins_and_when_it_ends(receiver: tuple[str, list[str]], tmp_path: Path):
    address, marked = receiver
    assert deploy(address, address, tmp_path) == 1
    assert marked == ["deploy of catalog 2.0 started", "deploy of catalog 2.0 failed"]
    assert {path.name for path in tmp_path.iterdir()} == {"deployed", "rolled-back"}


def test_a_version_that_cannot_be_watched_does_not_stay(
    receiver: tuple[str, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    address, _ = receiver
    nowhere = f"http://127.0.0.1:{free_port()}"
    assert deploy(address, nowhere, tmp_path) == 1
    assert (tmp_path / "rolled-back").exists()
    assert f"catalog 2.0 is taken back: {nowhere} does not say how the version does:" in capsys.readouterr().out


def test_a_deploy_that_fails_halfway_is_taken_back(receiver: tuple[str, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    address, marked = receiver
    assert deploy(address, address, tmp_path, command="false") == 1
    assert (tmp_path / "rolled-back").exists()
    assert "catalog 2.0 is taken back: `false` ended with exit code 1." in capsys.readouterr().out
    assert marked[-1] == "deploy of catalog 2.0 failed"


def test_nothing_is_deployed_that_cannot_be_marked(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    nowhere = f"http://127.0.0.1:{free_port()}"
    assert deploy(nowhere, nowhere, tmp_path) == 1
    assert not any(tmp_path.iterdir())
    assert f"{nowhere} does not take the deploy marker:" in capsys.readouterr().err


def test_the_template_tests_checks_the_contract_builds_and_deploys_in_that_order():
    steps = [step["name"] for step in yaml.safe_load(TEMPLATE.read_text())["jobs"]["deploy"]["steps"] if "name" in step]
    assert steps == ["Test", "Check the contract with those who call", "Build", "Deploy, watch, roll back"]
    (_, contract, _, rollout) = [step for step in yaml.safe_load(TEMPLATE.read_text())["jobs"]["deploy"]["steps"] if "name" in step]
    assert "python -m otelkit_demo.pipeline.contracts before.yaml" in contract["run"]
    words = rollout["run"].split()
    for option in ("--service", "--version", "--deploy", "--rollback", "--otlp", "--prometheus"):
        assert option in words
