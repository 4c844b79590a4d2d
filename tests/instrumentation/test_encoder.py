"""The bytes that leave: the same messages as opentelemetry-proto's own objects and as the SDK's encoder give, whatever the values are."""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans as sdk_encode_spans
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValueList
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from otelkit.export import attributes
from otelkit.export.attributes import encode_attributes
from otelkit.export.records import encode_logs
from otelkit.export.spans import encode_spans, read_fields, read_properties
from otelkit.export.values import ATTRIBUTE_SIZE_LIMIT, ATTRIBUTE_TEXT_LIMIT, encode_value
from otelkit.export.wire import varint
from otelkit.logs.item import LogItem
from otelkit.redaction import redact_query_strings, redact_text, redactor_of
from tests.instrumentation import protobuf_encoder

INT64 = st.integers(-(2**63), 2**63 - 1)
UINT64 = st.integers(0, 2**64 - 1)
TEXT = st.text(st.characters(), max_size=30)  # lone surrogates included
# Few and near one another, so that kept bytes are met again, by equal values of other types too.
SCALARS = st.one_of(
    st.sampled_from([0, 1, True, False, 1.0, 0.0, -0.0, "", "1", "GET", None, "\ud800", "\0"]),
    TEXT,
    INT64,
    st.floats(),
    st.binary(max_size=20),
    st.integers(),
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=12)
KEYS = st.sampled_from(["http.route", "a", ""]) | TEXT
ATTRIBUTES = st.dictionaries(KEYS, VALUES, max_size=6)


@st.composite
def contexts(draw: st.DrawFn) -> SpanContext:
    state = TraceState([("vendor", "x")]) if draw(st.booleans()) else None
    return SpanContext(
        draw(st.integers(1, 2**128 - 1)),
        draw(st.integers(1, 2**64 - 1)),
        draw(st.booleans()),
        TraceFlags(draw(st.sampled_from([0, 1]))),
        state,
    )


SCOPES = st.sampled_from(
    [
        None,
        InstrumentationScope("otelkit", "1.2"),
        InstrumentationScope("otelkit", "1.2"),
        InstrumentationScope("shop", None, "https://example.org/schema", {"team": "a"}),
    ]
)


@st.composite
def spans(draw: st.DrawFn, attributes: st.SearchStrategy[dict[str, Any]], texts: st.SearchStrategy[str]) -> ReadableSpan:
    return ReadableSpan(
        name=draw(texts),
        context=draw(contexts()),
        parent=draw(st.none() | contexts()),
        resource=RESOURCE,
        attributes=draw(attributes),
        events=[Event(draw(texts), draw(attributes), draw(UINT64)) for _ in range(draw(st.integers(0, 2)))],
        links=[Link(draw(contexts()), draw(attributes)) for _ in range(draw(st.integers(0, 2)))],
        kind=draw(st.sampled_from(SpanKind)),
        status=draw(st.builds(Status, st.just(StatusCode.ERROR), st.none() | texts) | st.sampled_from(StatusCode).map(Status)),
        start_time=draw(UINT64),
        end_time=draw(UINT64),
        instrumentation_scope=draw(SCOPES),
    )


RESOURCE = Resource({"service.name": "shop", "process.pid": 17})


def canonical(message: Any) -> bytes:
    """Protobuf's own bytes of a message: NaN equals NaN in them."""
    return message.SerializeToString(deterministic=True)


@settings(deadline=None)
@given(st.lists(spans(ATTRIBUTES, TEXT), max_size=4))
def test_spans_are_the_messages_that_protobuf_would_write(batch):
    """Byte for byte, hostile values (B5) included."""
    body = encode_spans(RESOURCE.attributes, batch)
    expected = protobuf_encoder.encode_spans(RESOURCE.attributes, batch)
    assert canonical(ExportTraceServiceRequest.FromString(body)) == canonical(expected)
    assert encode_spans(RESOURCE.attributes, batch) == body  # the second time from what was kept


def _is_plain(text: str) -> bool:
    """Whether there is nothing to redact, as key or as value: the SDK's encoder shows it all."""
    return redactor_of(text) is redact_text and redact_text(text) == text and redact_query_strings(text) == text


# The SDK's encoder drops a span with a lone surrogate.
PLAIN_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30).filter(_is_plain)
PLAIN = st.one_of(PLAIN_TEXT, st.booleans(), INT64, st.floats(), st.lists(INT64, max_size=3), st.lists(PLAIN_TEXT, max_size=3))


@settings(deadline=None)
@given(st.lists(spans(st.dictionaries(PLAIN_TEXT.filter(bool), PLAIN, max_size=6), PLAIN_TEXT), min_size=1, max_size=4))
def test_spans_are_the_messages_that_the_sdk_would_send(batch):
    """But for two things the protocol asks for and the SDK leaves out: the W3C flags, and the trace state of a link."""
    ours = ExportTraceServiceRequest.FromString(encode_spans(RESOURCE.attributes, batch))
    for span in (span for resource in ours.resource_spans for scope in resource.scope_spans for span in scope.spans):
        span.flags &= ~0xFF
        for link in span.links:
            link.flags &= ~0xFF
            link.ClearField("trace_state")
    assert canonical(ours) == canonical(sdk_encode_spans(batch))


@settings(deadline=None)
@given(
    st.lists(
        st.builds(
            LogItem,
            UINT64,
            st.integers(1, 24),
            TEXT,
            TEXT,
            st.dictionaries(st.sampled_from(["logger", "http.route"]) | TEXT, VALUES, max_size=6),
            st.integers(0, 2**128 - 1),
            st.integers(0, 2**64 - 1),
            st.sampled_from([0, 1]),
            TEXT,
        ),
        max_size=4,
    )
)
def test_log_records_are_the_messages_that_protobuf_would_write(items):
    # The name of a logger is text in the kit; str() of anything else is not the encoder's subject.
    items = [item for item in items if isinstance(item.attributes.get("logger", ""), str)]
    body = encode_logs(RESOURCE.attributes, items)
    expected = protobuf_encoder.encode_logs(RESOURCE.attributes, items)
    assert canonical(ExportLogsServiceRequest.FromString(body)) == canonical(expected)


def test_equal_values_of_different_types_are_told_apart():
    """True, 1 and 1.0 are one key of a dictionary, and three values of OTLP."""
    for value in (1, True, 1.0, "1", 1, True, 1.0):
        (pair,) = KeyValueList.FromString(encode_attributes({"n": value}, b"\x0a")).values
        kind = str(pair.value.WhichOneof("value"))
        assert kind == {int: "int_value", bool: "bool_value", float: "double_value", str: "string_value"}[type(value)]
        assert getattr(pair.value, kind) == value


def test_what_is_kept_has_bounds():
    """B4: a hundred thousand order numbers do not grow the process."""
    for number in range(20_000):
        encode_attributes({"order": number, f"key-{number}": "x", "long": "x" * 300, "path": f"/{number}"}, b"\x0a")
    kept = [
        pairs
        for by_key in attributes._kept.pairs.values()
        if isinstance(by_key, dict)
        for pairs in by_key.values()
        if isinstance(pairs, dict)
    ]
    assert sum(len(pairs) for pairs in kept) <= attributes.MOST_KEPT
    assert max(len(pairs) for pairs in kept) <= attributes.MOST_KEPT_OF_KEY
    assert max(len(pair) for pairs in kept for pair in pairs.values()) <= attributes.LONGEST_KEPT


class Broken:
    def __str__(self) -> str:
        raise RuntimeError("planted")

    def __iter__(self) -> Any:
        raise RuntimeError("planted")


class Sly(str):
    __slots__ = ()

    def encode(self, *_: object) -> bytes:
        raise RuntimeError("planted")

    def __len__(self) -> int:
        return 0

    __hash__ = str.__hash__


def circular() -> list[Any]:
    found: list[Any] = []
    found.extend([found] * 100)
    return found


def deep() -> list[Any]:
    found: list[Any] = ["bottom"]
    for _ in range(3_000):
        found = [found]
    return found


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (2**63 - 1, 2**63 - 1),
        (-(2**63), -(2**63)),
        (2**63, str(2**63)),
        (2**70, str(2**70)),
        (-(10**5_000), "<integer of 16610 bits>"),
        ("caf\ud800é", "caf?é"),
        ("a\0b", "a\0b"),
        ("x" * 10_000_000, "x" * ATTRIBUTE_TEXT_LIMIT + "…"),
        (b"x" * 10_000_000, b"x" * ATTRIBUTE_TEXT_LIMIT),
        (bytearray(b"ab"), b"ab"),
        (Sly("text"), "text"),
        (Broken(), "<unserializable Broken: RuntimeError>"),
        ([Broken()], "<unserializable list: RuntimeError>"),
        (object, str(object)),
        (HTTPStatus.NOT_FOUND, 404),  # an IntEnum, which a range does not look up but search
        ("password=hunter2", "password=[REDACTED]"),
        (b"token=hunter2", b"token=[REDACTED]"),
        (math.inf, math.inf),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_value_has_a_form(value, shown):
    """B5: nothing raises, nothing is invalid, nothing fills a batch."""
    message = AnyValue.FromString(encode_value(value))
    assert getattr(message, str(message.WhichOneof("value"))) == shown


@pytest.mark.parametrize("value", [circular(), deep(), itertools.count(), itertools.repeat("x" * 20_000), ["x" * 20_000] * 100_000])
def test_what_has_no_end_is_cut(value):
    """B5: a list that holds itself, one that is 3,000 deep, a generator without end, two gigabytes of text."""
    body = encode_value(value)
    assert len(body) < ATTRIBUTE_SIZE_LIMIT + 4 * ATTRIBUTE_TEXT_LIMIT
    assert AnyValue.FromString(body).WhichOneof("value") == "array_value"


def test_members_beyond_the_room_are_left_out_and_those_before_stay():
    value = {"first": list(range(10)), "rest": list(range(100_000)), "never": 1}
    (first, rest) = AnyValue.FromString(encode_value(value)).kvlist_value.values
    assert [item.int_value for item in first.value.array_value.values] == list(range(10))
    assert [item.int_value for item in rest.value.array_value.values][:3] == [0, 1, 2]
    assert len(rest.value.array_value.values) < 100_000


@given(UINT64)
def test_a_varint_holds_seven_bits_a_byte(value):
    encoded = varint(value)
    assert sum((byte & 0x7F) << 7 * place for place, byte in enumerate(encoded)) == value
    assert [byte >> 7 for byte in encoded] == [1] * (len(encoded) - 1) + [0]


LIMITS = SpanLimits(max_span_attributes=3, max_events=1, max_links=1, max_event_attributes=1, max_link_attributes=1)
TRACER = TracerProvider(ALWAYS_ON, RESOURCE, shutdown_on_exit=False, span_limits=LIMITS).get_tracer("shop", "1.0")


@settings(deadline=None)
@given(
    st.lists(st.tuples(ATTRIBUTES, TEXT, contexts(), st.sampled_from(SpanKind), st.sampled_from(StatusCode), st.integers(0, 2)), max_size=4)
)
def test_spans_made_by_the_sdks_tracer_are_the_same_messages(drawn):
    """These are read by their fields, and what the SDK's limits left out shows as counts."""
    batch = []
    for attributes_, text, context, kind, code, count in drawn:
        parent = trace.set_span_in_context(trace.NonRecordingSpan(context)) if count else None
        links = [Link(context, attributes_)] * count
        span = TRACER.start_span(text, parent, kind, attributes_, links)
        for number in range(count):
            span.add_event(text, attributes_, timestamp=number)
        span.set_status(Status(code, text if code is StatusCode.ERROR else None))
        span.end()
        batch.append(span)
    body = encode_spans(RESOURCE.attributes, batch)
    assert canonical(ExportTraceServiceRequest.FromString(body)) == canonical(protobuf_encoder.encode_spans(RESOURCE.attributes, batch))


def test_the_fields_of_this_sdks_spans_are_where_we_read_them():
    """Where this fails an SDK renamed them: nothing breaks, but encoding costs twice as much."""
    span = TRACER.start_span("buy", links=[Link(SpanContext(1, 2, False)), Link(SpanContext(3, 4, True))])
    for number in range(5):
        span.set_attribute(f"a{number}", number)
        span.add_event(f"e{number}")
    span.end()
    assert isinstance(span, ReadableSpan)
    by_field, by_property = read_fields(span), read_properties(span)
    as_plain = [dict(value) if isinstance(value, Mapping) else tuple(value) if isinstance(value, deque) else value for value in by_field]
    assert as_plain == [dict(value) if isinstance(value, Mapping) else value for value in by_property]
    assert by_field[9::2] == (2, 4, 1)
