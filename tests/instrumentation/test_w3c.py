"""A15: W3C Trace Context and W3C Baggage, case by case as their specifications say."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import baggage, propagate, trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from otelkit.redaction import redact_text
from otelkit.testing import capture
from otelkit.traces.w3c import PROPAGATOR, read_baggage, read_span_context, read_tracestate, write_baggage

TRACE, SPAN = "0123456789abcdef0123456789abcdef", "0123456789abcdef"
VALID = f"00-{TRACE}-{SPAN}-01"
LETTERS = "abcdefghijklmnopqrstuvwxyz"
STATE_KEY = f"{LETTERS}0123456789_-*/"
STATE_VALUE = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in ",=")


@dataclass(frozen=True)
class Parent:
    """A traceparent, and whether its caller is followed."""

    why: str
    header: str
    accepted: bool
    sampled: bool = True


PARENTS = [
    Parent("version 00", VALID, True),
    Parent("not sampled", f"00-{TRACE}-{SPAN}-00", True, False),
    Parent("level 2: sampled and random", f"00-{TRACE}-{SPAN}-03", True),
    Parent("level 2: random only", f"00-{TRACE}-{SPAN}-02", True, False),
    Parent("flags nobody knows", f"00-{TRACE}-{SPAN}-fd", True),
    Parent("flags nobody knows, not sampled", f"00-{TRACE}-{SPAN}-fc", True, False),
    Parent("white space around", f" \t{VALID}\t ", True),
    Parent("a later version", f"cc-{TRACE}-{SPAN}-01", True),
    Parent("a later version with more fields", f"cc-{TRACE}-{SPAN}-01-what-the-future-will-be-like", True),
    Parent("a later version with an empty field", f"cc-{TRACE}-{SPAN}-01-", True),
    Parent("a later version whose flags are too long", f"cc-{TRACE}-{SPAN}-01.what", False),
    Parent("version ff", f"ff-{TRACE}-{SPAN}-01", False),
    Parent("version 00 with more fields", f"{VALID}-what", False),
    Parent("version 00 with a dash too many", f"{VALID}-", False),
    Parent("two headers, joined", f"{VALID},00-{TRACE[::-1]}-{SPAN}-01", False),
    Parent("two headers of a later version, joined", f"cc-{TRACE}-{SPAN}-01,cc-{TRACE}-{SPAN}-01", False),
    Parent("a version in capitals", f"CC-{TRACE}-{SPAN}-01", False),
    Parent("a trace id in capitals", f"00-{TRACE.upper()}-{SPAN}-01", False),
    Parent("a span id in capitals", f"00-{TRACE}-{SPAN.upper()}-01", False),
    Parent("flags in capitals", f"00-{TRACE}-{SPAN}-0A", False),
    Parent("a version that is no number", f".0-{TRACE}-{SPAN}-01", False),
    Parent("a version of one digit", f"0-{TRACE}-{SPAN}-01", False),
    Parent("a version of three digits", f"000-{TRACE}-{SPAN}-01", False),
    Parent("a trace id of zeros", f"00-{'0' * 32}-{SPAN}-01", False),
    Parent("a trace id with a dot", f"00-.{TRACE[1:]}-{SPAN}-01", False),
    Parent("a trace id too long", f"00-{TRACE}0-{SPAN}-01", False),
    Parent("a trace id too short", f"00-{TRACE[1:]}-{SPAN}-01", False),
    Parent("a span id of zeros", f"00-{TRACE}-{'0' * 16}-01", False),
    Parent("a span id with a dot", f"00-{TRACE}-.{SPAN[1:]}-01", False),
    Parent("a span id too long", f"00-{TRACE}-{SPAN}0-01", False),
    Parent("a span id too short", f"00-{TRACE}-{SPAN[1:]}-01", False),
    Parent("flags of one digit", f"00-{TRACE}-{SPAN}-1", False),
    Parent("flags of three digits", f"00-{TRACE}-{SPAN}-001", False),
    Parent("flags with a dot", f"00-{TRACE}-{SPAN}-.0", False),
    Parent("digits of another script", "00-" + TRACE.replace("1", "\u0661") + f"-{SPAN}-01", False),
    Parent("underscores between digits", f"00-{TRACE[:-2]}_1-{SPAN}-01", False),
    Parent("a line break at its end", f"{VALID}\n", False),
    Parent("nothing", "", False),
    Parent("8 KB", "0" * 8192, False),
]


@pytest.mark.parametrize("case", PARENTS, ids=lambda case: case.why)
def test_a_traceparent_is_followed_only_where_it_is_valid(case):
    """A15."""
    found = read_span_context(case.header, None)
    assert (found is not None) is case.accepted
    if found is not None:
        assert (f"{found.trace_id:032x}", f"{found.span_id:016x}", found.trace_flags.sampled) == (TRACE, SPAN, case.sampled)
        assert found.is_remote
        assert found.trace_flags & ~3 == 0, "flags that nobody knows must not be passed on"


STATES = [
    ("one member", "foo=1", "foo=1"),
    ("their order stays", "foo=1,bar=2,baz=3", "foo=1,bar=2,baz=3"),
    ("white space around members", "foo=1 \t , \t bar=2", "foo=1,bar=2"),
    ("empty members", "foo=1,,bar=2, ,", "foo=1,bar=2"),
    ("every character of a key", f"{STATE_KEY}=1", f"{STATE_KEY}=1"),
    ("every character of a value", f"foo={STATE_VALUE}", f"foo={STATE_VALUE}"),
    ("a space inside a value", "foo=a b", "foo=a b"),
    ("level 1: tenant and system", "tenant-1@vendor=x", "tenant-1@vendor=x"),
    ("level 2: a key that begins with a digit", "1a=x,b=y", "1a=x,b=y"),
    ("level 2: @ anywhere but first", "foo@=1,a@b@c=2", "foo@=1,a@b@c=2"),
    ("a key of 256 characters", f"{'z' * 256}=1", f"{'z' * 256}=1"),
    ("a value of 256 characters", f"foo={'v' * 256}", f"foo={'v' * 256}"),
    ("a key twice: the first is the newest", "foo=1,bar=2,foo=3", "foo=1,bar=2"),
    ("a key and value twice", "foo=1,foo=1", "foo=1"),
    ("32 members", ",".join(f"m{n:02}=1" for n in range(32)), ",".join(f"m{n:02}=1" for n in range(32))),
    ("33 members", ",".join(f"m{n:02}=1" for n in range(33)), ""),
    ("a key of 257 characters", f"{'z' * 257}=1", ""),
    ("a value of 257 characters", f"foo={'v' * 257}", ""),
    ("a key in capitals", "FOO=1", ""),
    ("a key with a space", "foo =1", ""),
    ("a key with a dot", "foo.bar=1", ""),
    ("a key that begins with @", "@foo=1,bar=2", ""),
    ("no value", "foo=,bar=3", ""),
    ("no equals sign", "foo,bar=3", ""),
    ("an equals sign in a value", "foo=bar=baz", ""),
    ("a broken member beside a good one", "foo=1,BAR=2", ""),
    ("512 characters", f"a={'x' * 253},b={'y' * 254}", f"a={'x' * 253},b={'y' * 254}"),
    ("513 characters: long members go first", f"a={'x' * 253},b={'y' * 254},c=1", "c=1"),
    (
        "too long without a long member: the end goes",
        ",".join(f"m{n}={'x' * 100}" for n in range(6)),
        ",".join(f"m{n}={'x' * 100}" for n in range(4)),
    ),
    ("8 KB", f"a={'x' * 200}," * 41, ""),
    ("digits of another script", "foo\u0661=1", ""),
]


@pytest.mark.parametrize(("why", "header", "passed_on"), STATES, ids=[case[0] for case in STATES])
def test_a_tracestate_is_passed_on_as_far_as_it_is_valid(why, header, passed_on):
    """A15."""
    carrier: dict[str, str] = {}
    PROPAGATOR.inject(carrier, PROPAGATOR.extract({"traceparent": VALID, "tracestate": header}))
    assert carrier["traceparent"] == VALID, "a broken tracestate must not cost the traceparent"
    assert carrier.get("tracestate", "") == passed_on


def test_a_tracestate_without_a_valid_traceparent_is_dropped():
    """A15."""
    for headers in ({"tracestate": "foo=1"}, {"traceparent": f"ff-{TRACE}-{SPAN}-01", "tracestate": "foo=1"}):
        context = PROPAGATOR.extract(headers)
        assert not trace.get_current_span(context).get_span_context().is_valid
        carrier: dict[str, str] = {}
        PROPAGATOR.inject(carrier, context)
        assert carrier == {}


def test_a_sampler_may_still_edit_the_tracestate():
    found = read_span_context(VALID, "foo=1,bar=2")
    assert found is not None
    assert found.trace_state.update("own", "x").to_header() == "own=x,foo=1,bar=2"
    assert found.trace_state.delete("foo").to_header() == "bar=2"


@dataclass(frozen=True)
class Baggage:
    """A baggage header, and what is read of it."""

    why: str
    header: str
    entries: dict[str, str]


BAGGAGES = [
    Baggage("one", "key=value", {"key": "value"}),
    Baggage("several", "a=1,b=2", {"a": "1", "b": "2"}),
    Baggage("white space everywhere", " a \t=\t 1 , b = 2 ", {"a": "1", "b": "2"}),
    Baggage("an empty value", "a=", {"a": ""}),
    Baggage("equals signs in a value", "a=b=c=", {"a": "b=c="}),
    Baggage("percent-encoding", "a=b%20c%2Cd%3B%25", {"a": "b c,d;%"}),
    Baggage("percent-encoded UTF-8", "a=%C3%A9%E2%82%AC", {"a": "é€"}),
    Baggage("bytes that are no UTF-8", "a=%FF", {"a": "�"}),
    Baggage("a percent sign that encodes nothing", "a=50%", {"a": "50%"}),
    Baggage("a plus is a plus", "a=1+1", {"a": "1+1"}),
    Baggage("a key is not encoded", "a%20b=1", {"a%20b": "1"}),
    Baggage("every sign of a key", "!#$%&'*+-.^_`|~=1", {"!#$%&'*+-.^_`|~": "1"}),
    Baggage("properties belong to no value", "a=1;p;q=2 ; r = 3,b=4", {"a": "1", "b": "4"}),
    Baggage("a key twice", "a=1,a=2", {"a": "2"}),
    Baggage("case matters", "a=1,A=2", {"a": "1", "A": "2"}),
    Baggage("empty members", ",a=1,,b=2,", {"a": "1", "b": "2"}),
    Baggage("no equals sign", "a,b=2", {"b": "2"}),
    Baggage("no key", "=1,b=2", {"b": "2"}),
    Baggage("a space in a key", "a b=1,c=2", {"c": "2"}),
    Baggage("a space in a value", "a=b c,d=2", {"d": "2"}),
    Baggage("a quote in a value", 'a="b",c=2', {"c": "2"}),
    Baggage("a backslash in a value", "a=b\\c,d=2", {"d": "2"}),
    Baggage("no ASCII", "a=é,b=2", {"b": "2"}),
    Baggage("a broken property", "a=1;p q,b=2", {"b": "2"}),
    Baggage("180 members", ",".join(f"k{n}=1" for n in range(180)), {f"k{n}": "1" for n in range(180)}),
    Baggage("200 members", ",".join(f"k{n}=1" for n in range(200)), {f"k{n}": "1" for n in range(180)}),
    Baggage("8192 characters", f"a={'x' * 8190}", {"a": "x" * 8190}),
    Baggage("more, of which no member is taken in part", f"a=1,b={'x' * 8186},c={'y' * 100}", {"a": "1"} | {"b": "x" * 8186}),
    Baggage("one member of more", f"a={'x' * 8191}", {}),
]


@pytest.mark.parametrize("case", BAGGAGES, ids=lambda case: case.why)
def test_baggage_is_read_as_far_as_it_is_valid(case):
    """A15."""
    assert read_baggage(case.header) == case.entries
    assert dict(baggage.get_all(PROPAGATOR.extract({"baggage": case.header}))) == case.entries


@pytest.mark.parametrize(
    ("entries", "header"),
    [
        ({"a": "1"}, "a=1"),
        ({"a": 'b c,d;%"\\'}, "a=b%20c%2Cd%3B%25%22%5C"),
        ({"a": "é€"}, "a=%C3%A9%E2%82%AC"),
        ({"a": "1+1=2"}, "a=1+1=2"),
        ({"a": 7}, "a=7"),
        ({"no token": "1", "b": "2"}, "b=2"),
        ({"a": "x" * 9000, "b": "2"}, "b=2"),
        ({"a": "\ud800"}, "a=?"),
        ({}, ""),
    ],
)
def test_baggage_is_written_so_that_every_reader_understands_it(entries, header):
    """A15."""
    assert write_baggage(entries) == header


def test_baggage_is_never_written_beyond_the_limits():
    """A15."""
    assert write_baggage({f"k{n}": "1" for n in range(500)}).count("=") == 180
    assert len(write_baggage({f"k{n}": "x" * 100 for n in range(500)})) <= 8192


def test_properties_of_baggage_travel_on():
    """A15."""
    carrier: dict[str, str] = {}
    PROPAGATOR.inject(carrier, PROPAGATOR.extract({"baggage": "a=1;ttl=30;p,b=2"}))
    assert carrier["baggage"] == "a=1;ttl=30;p,b=2"


def test_headers_of_one_name_count_as_one():
    """A15: a carrier that keeps them apart."""
    context = PROPAGATOR.extract({"traceparent": [VALID], "tracestate": ["foo=1", "bar=2"], "baggage": ["a=1", "b=2"]})
    assert trace.get_current_span(context).get_span_context().trace_state.to_header() == "foo=1,bar=2"
    assert dict(baggage.get_all(context)) == {"a": "1", "b": "2"}
    twice = PROPAGATOR.extract({"traceparent": [VALID, VALID]})
    assert not trace.get_current_span(twice).get_span_context().is_valid


@given(
    st.dictionaries(
        # No words, and nothing that looks like a secret: such entries are not passed on (C1).
        st.from_regex(r"x[0-9a-f]{1,7}", fullmatch=True),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=40).filter(lambda text: redact_text(text) == text),
        max_size=8,
    )
)
def test_what_is_written_is_read_again(entries):
    assert read_baggage(write_baggage(entries)) == entries


@given(st.text(max_size=300), st.text(max_size=300), st.text(max_size=300))
def test_no_header_raises(traceparent, tracestate, entries):
    """A14."""
    PROPAGATOR.extract({"traceparent": traceparent, "tracestate": tracestate, "baggage": entries})
    read_span_context(VALID, tracestate)
    read_tracestate(tracestate)


@pytest.mark.parametrize(
    "headers",
    [
        {"traceparent": VALID, "tracestate": "hunter2!"},
        {"traceparent": "hunter2" * 1000},
        {"traceparent": VALID, "tracestate": ",".join(["hunter2=1"] * 33)},
        {"baggage": "hunter2"},
        {"baggage": "hunter2=é"},
        {"baggage": "k=" + "hunter2" * 2000},
    ],
)
def test_what_strangers_send_is_never_written_into_the_log(caplog, headers):
    """A14. OpenTelemetry's own propagators warn with the header's text."""
    caplog.set_level(logging.DEBUG)
    PROPAGATOR.extract(headers)
    assert caplog.records == []


def test_it_replaces_the_default_propagator_only_and_only_while_the_kit_runs():
    """A26."""
    default = CompositePropagator([TraceContextTextMapPropagator(), W3CBaggagePropagator()])
    before = propagate.get_global_textmap()
    try:
        propagate.set_global_textmap(default)
        with capture():
            assert propagate.get_global_textmap() is PROPAGATOR
        assert propagate.get_global_textmap() is default
        chosen = TraceContextTextMapPropagator()
        propagate.set_global_textmap(chosen)
        with capture():
            assert propagate.get_global_textmap() is chosen
    finally:
        propagate.set_global_textmap(before)
