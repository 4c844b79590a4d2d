"""Attributes that are looked up by their bytes are the ones that would be read: a second request says what its first one said."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from otelkit_stack.receiver import attributes
from otelkit_stack.receiver.attributes import KnownAttributes
from otelkit_stack.receiver.traces import read_traces
from otelkit_stack.testing import running_stack
from tests.stack.otlp_requests import PROTOBUF, key_values, span, traces

NESTED = {"k": 1, "l": None}
VALUES: tuple[object, ...] = ("1", 1, 1.0, True, "true", "", [1, "a", {"k": [b"\x01"]}], NESTED, b"\x01", float("inf"), "x" * 300)
"""Several are equal in Python, and no two as they are sent."""
READ = ["1", 1, 1.0, True, "true", "", [1, "a", {"k": ["AQ=="]}], NESTED, "AQ==", "Infinity", "x" * 300]
REQUEST = traces(*(span(f"{number:016x}", key=value) for number, value in enumerate(VALUES, 1)))


def read_with(known: KnownAttributes) -> list[object]:
    batch, refusals = read_traces(REQUEST, known)
    assert not refusals.reasons
    return [repr(json.loads(row.attributes)["key"]) for row in batch.spans]


def test_what_is_known_already_is_read_the_same() -> None:
    known = KnownAttributes()
    assert read_with(known) == read_with(known) == [*map(repr, READ)]


def test_more_attributes_than_are_remembered_are_read_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attributes, "MOST_KNOWN", 3)
    known = KnownAttributes()
    assert read_with(known) == read_with(known) == [*map(repr, READ)]
    assert len(known._members) <= 3


def test_of_an_attribute_that_is_sent_twice_the_last_counts() -> None:
    twice = span("00f067aa0ba902b7")
    twice.attributes.extend([*key_values({"http.route": "/first", "a": 1}), *key_values({"http.route": "/last"})])
    batch, _ = read_traces(traces(twice))
    assert (batch.spans[0].attributes, batch.spans[0].route) == ('{"http.route":"/last","a":1}', "/last")
    assert batch.dimensions == [('"http.route":"/last"',)]


def test_a_route_that_is_no_text_is_an_attribute_and_no_route() -> None:
    batch, _ = read_traces(traces(span("00f067aa0ba902b7", http__route=7)))
    assert (batch.spans[0].attributes, batch.spans[0].route) == ('{"http.route":7}', None)


@pytest.mark.parametrize("place", ["resource", "span", "event", "link"])
def test_a_broken_attribute_is_400_wherever_it_is(tmp_path: Path, place: str) -> None:
    """The attributes are looked at last, and say no all the same."""
    marked = KeyValue(key="mark", value=AnyValue(string_value="good"))
    one = span("00f067aa0ba902b7")
    one.events.add(name="happened").attributes.extend([marked] * (place == "event"))
    one.links.append(Span.Link(trace_id=bytes(16), span_id=bytes(8), attributes=[marked] * (place == "link")))
    one.attributes.extend([marked] * (place == "span"))
    request = traces(one, resource={"mark": "good"} if place == "resource" else {})
    body = request.SerializeToString()
    assert body.count(b"good") == 1
    with running_stack(tmp_path) as stack:
        answers = [
            httpx.post(f"{stack.url}/v1/traces", content=content, headers={"Content-Type": PROTOBUF}, verify=False)
            for content in (body, body.replace(b"good", b"\xff\xffod"))  # no UTF-8
        ]
        assert [answer.status_code for answer in answers] == [200, 400]
        assert b"The body is not an OTLP request in protobuf" in answers[1].content
        stack.flush()
        assert stack.store.counts.accepted == 1
