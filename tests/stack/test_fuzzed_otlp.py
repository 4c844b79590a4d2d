"""Requests made from the protocol's own description: each is read or refused, and the writer writes what was taken.

They are the same ones every time; `make soak` makes five times as many, which takes a quarter of a minute.
"""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import httpx
import pytest
from google.protobuf.message import Message

from otelkit_stack.receiver.body import Encoding, RefusedError, parse
from otelkit_stack.receiver.logs import read_logs
from otelkit_stack.receiver.metrics import read_metrics
from otelkit_stack.receiver.refusals import Refusals
from otelkit_stack.receiver.traces import read_traces
from otelkit_stack.rows import Batch
from otelkit_stack.store import Store
from otelkit_stack.testing import running_stack
from tests.stack.otlp_requests import JSON, PROTOBUF, post
from tests.stack.random_otlp import REQUESTS, random_request

_READERS = {"/v1/traces": read_traces, "/v1/metrics": read_metrics, "/v1/logs": read_logs}


def _cut_up(body: bytes, dice: random.Random) -> bytes:
    """The body with some of its bytes changed, as half of the cases have it."""
    changed = bytearray(body)
    for _ in range(dice.choice((0, 0, 0, 1, 2, 5))):
        if changed:
            changed[dice.randrange(len(changed))] = dice.randrange(256)
    return bytes(changed)


def _read(path: str, body: bytes) -> tuple[Batch, Refusals]:
    message: Message = parse(body, Encoding.PROTOBUF, REQUESTS[path])
    return _READERS[path](message)  # type: ignore[operator]


@pytest.mark.parametrize("cases", [2_000, pytest.param(10_000, marks=pytest.mark.soak)])
def test_every_request_is_read_or_refused_and_all_that_was_taken_is_written(tmp_path: Path, cases: int):
    dice = random.Random(20261128)
    outcomes: Counter[str] = Counter()
    with Store(tmp_path, retention_s=None, capacity=10**7) as store:
        for number in range(cases):
            path = dice.choice([*REQUESTS])
            body = _cut_up(random_request(dice, REQUESTS[path]).SerializeToString(), dice)
            try:
                batch, refusals = _read(path, body)
            except RefusedError as error:
                outcomes[f"{error.status.value}"] += 1
                continue
            outcomes["taken" if len(batch) else "empty"] += 1
            outcomes["refused records"] += refusals.records
            store.submit(batch)
            if number % 500 == 0:
                store.flush(60)
        store.flush(60)
        counts = store.counts
        assert (counts.dropped, counts.queued, counts.written) == (0, 0, counts.accepted)
    # The cases are worth something: many are taken in, many are not.
    assert outcomes["taken"] > cases / 4
    assert outcomes["400"] > cases / 50
    assert outcomes["refused records"] > cases / 4


@pytest.mark.parametrize("content_type", [PROTOBUF, JSON])
def test_over_http_such_requests_get_an_answer_and_what_they_left_can_be_asked_for(tmp_path: Path, content_type: str):
    dice = random.Random(7)
    with running_stack(tmp_path) as stack:
        for _ in range(150):
            path = dice.choice([*REQUESTS])
            request = random_request(dice, REQUESTS[path])
            assert post(stack.url, request, content_type).status_code in (200, 400)
        stack.flush()
        assert stack.store.counts.dropped == 0
        questions = ("/api/v1/labels", "/api/v1/status/tsdb", "/api/v1/query?query=count(up)", "/loki/api/v1/labels?since=48h", "/")
        for question in questions:
            assert httpx.get(stack.url + question, timeout=60).status_code == 200, question
