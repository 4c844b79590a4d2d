"""B10: whatever is asked, the answer with the kit on is the answer with it off: status, headers, body, and what a server sees raised."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otelkit.testing import capture
from tests.instrumentation.neutral.exchanges import Answered, Asked, ask_asgi, ask_wsgi

both = pytest.mark.parametrize("ask", [ask_wsgi, ask_asgi])
pytestmark = [
    # Django's own, under ASGI: of a sync body, and of the request's body when the answer breaks.
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
ON = {"requests": {"body_sizes": True, "client_address": "full"}, "logs": {"exporters": ["otlp", "console"]}}
"""Everything but what changes answers on purpose: the setting requests.response_headers."""

BOUNDARY = b"----b"
MULTIPART = (b"content-type", b"multipart/form-data; boundary=--b")
FORM = (b"content-type", b"application/x-www-form-urlencoded")
TRACEPARENT = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
CASES = {
    "root": Asked(),
    "slash is appended": Asked(path=b"/slash", query=b"a=1"),
    "path that is no UTF-8": Asked(path=b"/echo/\xff\xfe"),
    "path with a null": Asked(path=b"/echo/a\x00b"),
    "path with everything": Asked(path="/echo/ü%2F..;a=1//\u2028/😀".encode()),
    "broken query": Asked(path=b"/echo/", query=b"&&=&a&a=%ff&%=%zz&b=1;c=2&" + b"x=1&" * 5),
    "too many fields": Asked(path=b"/echo/", query=b"x=1&" * 2_000),
    "HEAD": Asked("HEAD", b"/echo/x"),
    "HEAD of a file": Asked("HEAD", b"/file"),
    "HEAD of a stream": Asked("HEAD", b"/stream"),
    "OPTIONS": Asked("OPTIONS", b"/only-get"),
    "method not allowed": Asked("DELETE", b"/only-get"),
    "method of its own": Asked("BREW", b"/echo/tea"),
    "form": Asked("POST", b"/echo/", headers=(FORM,), body=b"a=1&a=2&b=%C3%BC"),
    "form that is none": Asked("POST", b"/echo/", headers=(FORM,), body=b"\xff\xfe&&=%"),
    "form in another encoding": Asked("POST", b"/echo/", headers=((b"content-type", FORM[1] + b"; charset=odd"),), body=b"a=1"),
    "upload": Asked(
        "POST",
        b"/async/echo/x",
        headers=(MULTIPART,),
        body=b"\r\n".join(
            [
                BOUNDARY,
                b'Content-Disposition: form-data; name="f"; filename="x"',
                b"Content-Type: text/plain",
                b"",
                b"hi",
                BOUNDARY + b"--",
                b"",
            ]
        ),
    ),
    "upload that breaks off": Asked("POST", b"/echo/", headers=(MULTIPART,), body=BOUNDARY + b"\r\nContent-Disposition: form-da"),
    "body read in parts": Asked("PUT", b"/body", body=bytes(range(256)) * 20),
    "length that is none": Asked("POST", b"/body", headers=((b"content-length", b"many"),), body=b"abc"),
    "stream": Asked(path=b"/stream", query=b"q=1"),
    "async stream": Asked(path=b"/async/stream"),
    "stream that breaks": Asked(path=b"/breaks"),
    "file": Asked(path=b"/file", headers=((b"range", b"bytes=0-9"),)),
    "conditional": Asked(path=b"/conditional"),
    "conditional, known": Asked(path=b"/conditional", headers=((b"if-none-match", b"*"),)),
    "304": Asked(path=b"/not-modified"),
    "204": Asked(path=b"/status/204"),
    "599": Asked(path=b"/status/599"),
    "redirect": Asked(path=b"/redirect", query=b"next=%0d%0aSet-Cookie:x"),
    "redirect for good": Asked(path=b"/moved"),
    "cookies": Asked(path=b"/cookies", headers=((b"cookie", b'a=1; b="2; c=\xff; =; d'),)),
    "odd headers": Asked(path=b"/headers", headers=((b"accept-language", b"de"), (b"accept-encoding", b"gzip"))),
    "wrong host": Asked(path=b"/echo/", headers=((b"host", b"evil.example"),)),
    "broken host": Asked(path=b"/echo/", headers=((b"host", b"a b:x"),)),
    "trace headers": Asked(path=b"/echo/", headers=((b"traceparent", TRACEPARENT), (b"tracestate", b"a=1"), (b"baggage", b"token=x"))),
    "broken trace headers": Asked(path=b"/echo/", headers=((b"traceparent", b"00-\xff"), (b"baggage", b"=;," * 3_000))),
    "request id and queue": Asked(path=b"/echo/", headers=((b"x-request-id", b"a\x0ab"), (b"x-request-start", b"t=nan"))),
    "excluded path": Asked(path=b"/livez"),
    "view that gives nothing": Asked(path=b"/nothing"),
    **{f"raises {kind}": Asked(path=f"/raises/{kind}".encode()) for kind in ("missing", "forbidden", "suspicious", "bad", "large")},
    **{f"raises {kind}": Asked(path=f"/raises/{kind}".encode()) for kind in ("error", "exit", "unknown")},
    **{f"async raises {kind}": Asked(path=f"/async/raises/{kind}".encode()) for kind in ("missing", "error", "exit", "bad")},
}


ENDINGS = ("raises exit", "async raises exit")
"""They end an event loop, and with it an ASGI server."""


def compare(ask: Callable[[list[Asked]], list[Answered]], requests: list[Asked]) -> list[Answered]:
    """Asks with the kit off, on, and off again. Gives the answers, which are all the same."""
    with override_settings(ROOT_URLCONF="tests.instrumentation.neutral.urls"):
        off = ask(requests)
        with capture(ON) as telemetry:
            on = ask(requests)
            spans = [span for span in telemetry.spans if span["kind"] == "SERVER"]
        for asked, without, having in zip(requests, off, on, strict=True):
            assert having == without, asked
        assert ask(requests) == off
    assert len(spans) >= sum(map(_is_seen, requests))
    return off


def _is_seen(asked: Asked) -> bool:
    """Whether a middleware sees it: of a query that is no UTF-8 Django's ASGI handler says 400 before."""
    return not asked.path.startswith(b"/livez") and asked.query.decode("utf-8", "ignore").encode() == asked.query


def _ended(ask: Callable[[list[Asked]], list[Answered]], case: str) -> list[Answered] | str:
    """How it ends: until Django 6.1 the loop with it."""
    try:
        return ask([CASES[case]])
    except SystemExit:
        return "SystemExit"


@both
@pytest.mark.parametrize("case", CASES)
def test_an_answer_is_the_same_with_the_kit_on_and_off(case, ask):
    """B10."""
    if case in ENDINGS and ask is ask_asgi:
        with override_settings(ROOT_URLCONF="tests.instrumentation.neutral.urls"):
            off = _ended(ask, case)
            with capture(ON):
                assert _ended(ask, case) == off
        return
    (answer,) = compare(ask, [CASES[case]])
    assert answer.status or answer.raised


def test_the_corpus_has_answers_of_every_kind():
    """B10: else the comparison would compare nothing."""
    for ask in (ask_wsgi, ask_asgi):
        answers = compare(ask, [asked for case, asked in CASES.items() if case not in ENDINGS])
        assert {"200", "204", "301", "302", "304", "400", "403", "404", "405", "500", "599"} <= {answer.status[:3] for answer in answers}
        assert any("ZeroDivisionError" in answer.raised for answer in answers)


_octets = st.binary(max_size=12)
_path = st.one_of(
    st.sampled_from([asked.path for case, asked in CASES.items() if case not in ENDINGS]),
    st.binary(max_size=20).map(lambda rest: b"/echo/" + rest),
    st.text(max_size=12).map(lambda rest: f"/async/echo/{rest}".encode("utf-8", "replace")),
    st.binary(max_size=20).map(lambda rest: b"/" + rest),
    st.integers(200, 599).map(lambda code: f"/status/{code}".encode()),
)
_query = st.one_of(
    st.just(b""), st.lists(st.tuples(_octets, _octets), max_size=4).map(lambda pairs: b"&".join(b"=".join(p) for p in pairs))
)
_name = st.sampled_from(
    b"accept accept-language cookie referer user-agent origin if-none-match if-modified-since range traceparent tracestate baggage "
    b"authorization x-request-id x-request-start x-forwarded-for x-forwarded-proto x-forwarded-host forwarded "
    b"content-type host x-odd".split()
)
_value = st.one_of(
    st.binary(max_size=30).map(lambda value: value.replace(b"\r", b"").replace(b"\n", b"")),
    st.sampled_from(
        [TRACEPARENT, b"a=1", b"t=1700000000.123", b"bytes=0-3", b"de", b"*", b"localhost", FORM[1], MULTIPART[1], b"text/html"]
    ),
)
_asked = st.builds(
    Asked,
    st.sampled_from(["GET", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get"]),
    _path,
    _query,
    st.lists(st.tuples(_name, _value), max_size=5, unique_by=lambda pair: pair[0]).map(tuple),
    st.binary(max_size=200),
)


@both
@settings(max_examples=60, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(requests=st.lists(_asked, min_size=1, max_size=10))
def test_a_fuzzed_corpus_is_answered_the_same(ask, requests):
    """B10: the same some hundred requests in every run."""
    compare(ask, requests)
