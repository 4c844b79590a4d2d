"""The access line put together from pieces is to the byte the line of a record, and whoever wants to see records sees them."""

from __future__ import annotations

import io
import json
import logging
import math
import sys
import threading
from collections.abc import Callable, Iterator
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from django.test import RequestFactory
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from otelkit.catalog.logs import ACCESS_LOGGER
from otelkit.logs import access
from otelkit.logs.console import StdoutHandler
from otelkit.logs.formatter import JSONFormatter, TextFormatter
from otelkit.logs.item import LogItem
from otelkit.logs.otlp import OTLPHandler
from otelkit.plain_values import LONGEST_TEXT
from otelkit.request.state import CURRENT, RequestState
from tests.instrumentation.logs.conftest import RESOURCE

NOW = 1_764_288_000.123456
REQUEST: dict[str, Any] = {
    "method": "GET",
    "route": "/orders/{pk}",
    "path": "/orders/7",
    "status": 200,
    "duration_s": 0.0123456,
    "response_bytes": 512,
    "db_queries": 4,
    "db_duration_s": 0.0021,
    "db_duplicates": 2,
    "user_agent": "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0",
    "request_id": "b7ad6b7169203331",
}
REPEATED = {
    "db.query.repeated.text": "SELECT * FROM t WHERE a = ?",
    "db.query.repeated.count": 51,
    "db.query.repeated.caller": "shop/views.py:42",
}
CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    **{f"status {status}": {"status": status} for status in (100, 204, 301, 404, 499, 500, 503, 599, None)},
    "status of an enum": {"status": HTTPStatus.IM_A_TEAPOT},
    **{f"method {method}": {"method": method} for method in ("POST", "_OTHER")},
    "root": {"route": "/", "path": "/"},
    "unmatched": {"route": "unmatched", "path": "/wp-login.php"},
    "route that is not ASCII": {"route": "/größe/{größe}", "path": "/größe/7"},
    "route with a quote": {"route": '/a"b\\c', "path": '/a"b\\c'},
    "query behind the path": {"path": "/a?token=hunter2"},
    "secret in the path": {"path": "/login/password=hunter2/4111111111111111"},
    "URL in the path": {"path": "/go/https://user:hunter2@shop.example/"},
    "line breaks in the path": {"path": "/a\r\nb\x00\x1b[31m\x85c\u2028d\u2029e"},
    "surrogate in the path": {"path": "/a\ud800b"},
    "two halves in the path": {"path": "/a\ud83d\ude00"},
    "emoji in the path": {"path": "/a😀"},
    "long path": {"path": "/" + "x" * 9_000},
    "very long path": {"path": "/" + "ß" * 70_000},
    "nothing known": {"response_bytes": None, "user_agent": None, "request_id": None},
    "empty body": {"response_bytes": 0, "user_agent": ""},
    "other agent": {"user_agent": "hunter2 " * 1_000},
    "zero": {"duration_s": 0.0, "db_queries": 0, "db_duration_s": 0.0, "db_duplicates": 0},
    "slow": {"duration_s": 86_400.000001, "db_duration_s": 0.00049951},
    "N+1": {"db_repeated": REPEATED},
    "N+1 with literals": {"db_repeated": {**REPEATED, "db.query.repeated.text": "SELECT 'password=hunter2' \ud800"}},
    "id of a caller": {"request_id": "shop.example-42"},
    "id that could be a card": {"request_id": "4111111111111111"},
}
BOUND: dict[str, dict[str, Any]] = {
    "nothing": {},
    "plain": {"tenant": "acme", "order": 7, "ratio": 0.5, "new": True, "none": None},
    "secret": {"password": "hunter2", "note": "password=hunter2"},
    "ours": {"trace_id": "mine", "level": "mine", "message": "mine", "service.name": "mine"},
    "of every line": {"http.route": "mine", "tenant": "acme"},
    "of this line": {"request.id": "mine", "duration_ms": "mine", "tenant": "acme"},
    "of some lines": {"db.query.repeated.count": "mine", "tenant": "acme"},
    "numbers JSON has no word for": {"nan": math.nan, "inf": math.inf, "big": 2**70},
    "containers": {"list": [1, {"password": "hunter2"}], "dict": {"a": 1}},
    "hostile": {"lone": "\ud800", "nul": "\x00\u2028", "object": object, "bytes": b"x"},
    "long": {"text": "x" * 9_000, "k" * 200: 1},
    "too long for one line": {f"key{number}": "x" * 8_000 for number in range(12)},
    "many": {f"key{number}": number for number in range(200)},
    "key that is not ASCII": {"größe": "ß"},
}
SPANS: dict[str, SpanContext | None] = {
    "kept": SpanContext(0x0AF7651916CD43DD8448EB211C80319C, 0x00AD6B7169203331, False, TraceFlags(3)),
    "not kept": SpanContext(0xFF, 0xB7AD6B7169203331, False, TraceFlags(2)),
    "whose id the request has": SpanContext(0xFF, 0xB7AD6B7169203331, False, TraceFlags(1)),
    "none": None,
    "invalid": trace.INVALID_SPAN_CONTEXT,
}


def context(span: SpanContext | None) -> Context:
    return Context() if span is None else trace.set_span_in_context(NonRecordingSpan(span), Context())


def at_that_time(record: logging.LogRecord) -> bool:
    """A filter: so the line has to have a record."""
    record.created = NOW
    return True


class Printed:
    """The kit's own handler on the root logger, what it prints, and how many lines needed no record."""

    def __init__(self, handler: StdoutHandler, stream: io.StringIO) -> None:
        self.handler = handler
        self.stream = stream
        self.without_record = 0

    def text(self) -> str:
        found = self.stream.getvalue()
        self.stream.seek(0)
        self.stream.truncate()
        return found


_STREAMS: list[io.StringIO] = []


def _stream() -> io.StringIO:
    _STREAMS[:] = [io.StringIO()]
    return _STREAMS[0]


def prepare_logging() -> None:
    """Called when the test begins (see conftest): pytest exchanges the streams after fixtures."""
    if _STREAMS:
        sys.stdout = _STREAMS.pop()


@pytest.fixture
def printed(fresh_logging: logging.Logger, monkeypatch: pytest.MonkeyPatch) -> Iterator[Printed]:
    """Logging as start() leaves it in a project without handlers."""
    stream = _stream()
    monkeypatch.setattr(access, "time", SimpleNamespace(time=lambda: NOW))
    handler = StdoutHandler()
    handler.setFormatter(JSONFormatter(RESOURCE))
    fresh_logging.addHandler(handler)
    printed = Printed(handler, stream)
    print_line = StdoutHandler.print_line

    def counted(self: StdoutHandler, line: str) -> None:
        printed.without_record += 1
        print_line(self, line)

    monkeypatch.setattr(StdoutHandler, "print_line", counted)
    access_logger = logging.getLogger(ACCESS_LOGGER)
    before = access_logger.level
    access_logger.setLevel(logging.INFO)
    structlog.contextvars.clear_contextvars()
    yield printed
    structlog.contextvars.clear_contextvars()
    access_logger.setLevel(before)


def both_ways(printed: Printed, request: dict[str, Any], span: SpanContext | None = None) -> tuple[str, str]:
    """The line without a record, if it could be, and the line with one."""
    access.write_access_line(**REQUEST | request, context=context(span))
    direct = printed.text()
    logger = logging.getLogger(ACCESS_LOGGER)
    logger.addFilter(at_that_time)
    try:
        access.write_access_line(**REQUEST | request, context=context(span))
    finally:
        logger.removeFilter(at_that_time)
    return direct, printed.text()


def without_time(line: str) -> str:
    """For lines that may have had a record both times."""
    return line.partition(",")[2]


@pytest.mark.parametrize("request_", CASES.values(), ids=CASES)
def test_every_request_has_the_same_line_without_a_record(printed, encoder, request_):
    """C1, C3: redaction and escapes included."""
    printed.handler.setFormatter(JSONFormatter(RESOURCE))  # once more, by this encoder
    for span in SPANS.values():
        direct, by_record = both_ways(printed, request_, span)
        assert without_time(direct) == without_time(by_record)
        assert direct == by_record or not printed.without_record
        assert direct.count("\n") == 1
        assert json.loads(direct)["logger"] == ACCESS_LOGGER
        assert "hunter2" not in direct
    assert printed.without_record == (0 if len((REQUEST | request_)["path"]) > LONGEST_TEXT else len(SPANS))


@pytest.mark.parametrize("bound", BOUND.values(), ids=BOUND)
def test_values_bound_to_the_context_are_the_same_without_a_record(printed, encoder, bound):
    printed.handler.setFormatter(JSONFormatter(RESOURCE))
    structlog.contextvars.bind_contextvars(**bound)
    for request in ({}, CASES["very long path"], CASES["N+1"]):
        direct, by_record = both_ways(printed, request, SPANS["kept"])
        assert without_time(direct) == without_time(by_record)
        json.loads(direct)


def test_plain_values_bound_to_the_context_need_no_record(printed):
    structlog.contextvars.bind_contextvars(**BOUND["plain"], **BOUND["secret"])
    both_ways(printed, {})
    assert printed.without_record == 1


@pytest.mark.parametrize("ascii_only", [False, True])
@pytest.mark.parametrize("resource", [{}, RESOURCE, {"service.name": "größe\u2028"}], ids=["none", "full", "not ASCII"])
def test_every_formatter_writes_the_same_line_without_a_record(printed, resource, ascii_only):
    printed.handler.setFormatter(JSONFormatter(resource, ascii_only=ascii_only))
    for case in ("plain", "route that is not ASCII", "emoji in the path", "line breaks in the path"):
        direct, by_record = both_ways(printed, CASES[case], SPANS["kept"])
        assert direct == by_record
    assert printed.without_record == 4


def test_a_formatter_that_is_renamed_writes_the_new_name_at_once(printed):
    both_ways(printed, {})
    printed.handler.formatter.rename({**RESOURCE, "service.instance.id": "host:1"})
    direct, by_record = both_ways(printed, {})
    assert direct == by_record
    assert json.loads(direct)["service.instance.id"] == "host:1"


def test_beginnings_of_lines_are_forgotten_when_there_are_too_many(printed, monkeypatch):
    """A11: bounded memory, whatever the routes."""
    monkeypatch.setattr("otelkit.logs.access_text.MOST_HEADS", 3)
    for number in range(10):
        direct, by_record = both_ways(printed, {"route": f"/{number}"})
        assert direct == by_record
    assert len(printed.handler.formatter.access._heads) <= 3


def test_a_line_within_another_request_names_that_one_as_a_record_does(printed):
    """A stream that a view reads while it answers: what is current is the view's own request."""
    incoming: Any = type("Incoming", (), {"request_id": lambda self, meta: "outer"})()
    outer = RequestState(RequestFactory().get("/"), "GET", "http", 0.0, trace.INVALID_SPAN, trace.INVALID_SPAN_CONTEXT, Context(), incoming)
    outer.request.resolver_match = None
    token = CURRENT.set(outer)
    try:
        direct, by_record = both_ways(printed, {})
    finally:
        CURRENT.reset(token)
    assert without_time(direct) == without_time(by_record)


# --- who must see a record ------------------------------------------------------------------------------------------------


class Seeing(logging.Handler):
    def __init__(self, records: list[logging.LogRecord]) -> None:
        super().__init__()
        self.emit = records.append  # type: ignore[method-assign]


Arrange = Callable[[Printed, list[logging.LogRecord], pytest.MonkeyPatch], None]
ACCESS, PARENT, ROOT = logging.getLogger(ACCESS_LOGGER), logging.getLogger("otelkit"), logging.getLogger()


def seen(records: list[logging.LogRecord]) -> Callable[[logging.LogRecord], bool]:
    def see(record: logging.LogRecord) -> bool:
        records.append(record)
        return True

    return see


def _add(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, value: Any) -> None:
    monkeypatch.setattr(owner, name, [*getattr(owner, name), value])


def _wrap(records: list[logging.LogRecord], original: Any, position: int) -> Any:
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        records.append(result if position < 0 else args[position])
        return result

    return wrapped


def _factory(printed: Printed, records: list[logging.LogRecord], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging, "_logRecordFactory", _wrap(records, logging.LogRecord, -1))


class ProjectsFormatter(JSONFormatter):
    records: list[logging.LogRecord]

    def format(self, record: logging.LogRecord) -> str:
        self.records.append(record)
        return super().format(record)


def _own_formatter(printed: Printed, records: list[logging.LogRecord], monkeypatch: pytest.MonkeyPatch) -> None:
    formatter = ProjectsFormatter(RESOURCE)
    formatter.records = records
    printed.handler.setFormatter(formatter)


OBSERVERS: dict[str, Arrange] = {
    "a filter on the access logger": lambda printed, records, patch: _add(patch, ACCESS, "filters", seen(records)),
    "a handler on the access logger": lambda printed, records, patch: _add(patch, ACCESS, "handlers", Seeing(records)),
    "a handler on its parent": lambda printed, records, patch: _add(patch, PARENT, "handlers", Seeing(records)),
    "a handler on the root logger": lambda printed, records, patch: _add(patch, ROOT, "handlers", Seeing(records)),
    "OTLP": lambda printed, records, patch: _add(patch, ROOT, "handlers", OTLPHandler(records.append)),  # type: ignore[arg-type]
    "a filter on the kit's handler": lambda printed, records, patch: _add(patch, printed.handler, "filters", seen(records)),
    "a formatter of the project's": _own_formatter,
    "a record factory": _factory,
    "Logger.makeRecord": lambda printed, records, patch: patch.setattr(
        logging.Logger, "makeRecord", _wrap(records, logging.Logger.makeRecord, -1)
    ),
    "Logger.handle": lambda printed, records, patch: patch.setattr(logging.Logger, "handle", _wrap(records, logging.Logger.handle, 1)),
    "Logger.callHandlers": lambda printed, records, patch: patch.setattr(
        logging.Logger, "callHandlers", _wrap(records, logging.Logger.callHandlers, 1)
    ),
    "Handler.handle": lambda printed, records, patch: patch.setattr(logging.Handler, "handle", _wrap(records, logging.Handler.handle, 1)),
    "StdoutHandler.emit": lambda printed, records, patch: patch.setattr(StdoutHandler, "emit", _wrap(records, StdoutHandler.emit, 1)),
    "JSONFormatter.format": lambda printed, records, patch: patch.setattr(JSONFormatter, "format", _wrap(records, JSONFormatter.format, 1)),
    **{
        f"{name} of the logger": lambda printed, records, patch, name=name: patch.setattr(  # type: ignore[misc]
            ACCESS, name, _wrap(records, getattr(ACCESS, name), -1 if name == "makeRecord" else 0), raising=False
        )
        for name in ("makeRecord", "handle", "callHandlers", "filter")
    },
    **{
        f"{name} of the handler": lambda printed, records, patch, name=name: patch.setattr(  # type: ignore[misc]
            printed.handler, name, _wrap(records, getattr(printed.handler, name), 0), raising=False
        )
        for name in ("handle", "emit", "format", "filter")
    },
    "format of the formatter": lambda printed, records, patch: patch.setattr(
        printed.handler.formatter, "format", _wrap(records, printed.handler.formatter.format, 0), raising=False
    ),
}


@pytest.mark.parametrize("arrange", OBSERVERS.values(), ids=OBSERVERS)
def test_whoever_wants_to_see_records_sees_them(printed, monkeypatch, arrange):
    """The road without a record is taken only where nobody could tell."""
    records: list[Any] = []
    arrange(printed, records, monkeypatch)
    access.write_access_line(**REQUEST)
    (record,) = records
    assert isinstance(record, (logging.LogRecord, LogItem))
    assert printed.without_record == 0
    assert json.loads(printed.text())["http.route"] == "/orders/{pk}"


SILENCES: dict[str, Arrange] = {
    "a filter that refuses": lambda printed, records, patch: _add(patch, ACCESS, "filters", lambda record: False),
    "a filter of the handler that refuses": lambda printed, records, patch: _add(patch, printed.handler, "filters", lambda record: False),
    "propagate": lambda printed, records, patch: patch.setattr(ACCESS, "propagate", False),
    "propagate of the parent": lambda printed, records, patch: patch.setattr(PARENT, "propagate", False),
    "disabled": lambda printed, records, patch: patch.setattr(ACCESS, "disabled", True),
    "the handler's level": lambda printed, records, patch: patch.setattr(printed.handler, "level", logging.WARNING),
    "no handler": lambda printed, records, patch: patch.setattr(ROOT, "handlers", []),
}


@pytest.mark.parametrize("arrange", SILENCES.values(), ids=SILENCES)
def test_what_keeps_a_record_from_being_printed_keeps_the_line(printed, monkeypatch, arrange):
    arrange(printed, [], monkeypatch)
    access.write_access_line(**REQUEST)
    assert printed.text() == ""


def test_the_line_for_a_terminal_has_a_record(printed):
    printed.handler.setFormatter(TextFormatter())
    access.write_access_line(**REQUEST)
    assert "GET /orders/{pk} 200" in printed.text()
    assert printed.without_record == 0


def test_a_line_that_cannot_be_put_together_takes_the_long_road(printed, monkeypatch):
    """B6: and is written."""
    monkeypatch.setattr("otelkit.logs.access_text.AccessText.text", lambda *_: 1 / 0)
    access.write_access_line(**REQUEST)
    assert json.loads(printed.text())["http.route"] == "/orders/{pk}"
    assert printed.without_record == 0


def test_a_broken_stdout_costs_no_request_and_the_line_goes_to_stderr(printed, monkeypatch, capsys):
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device")

    errors = io.StringIO()
    monkeypatch.setattr("sys.stdout", Full())
    monkeypatch.setattr("sys.stderr", errors)
    access.write_access_line(**REQUEST)
    assert json.loads(errors.getvalue())["http.route"] == "/orders/{pk}"
    assert printed.handler.failures == 1


def test_lines_of_threads_do_not_mix(printed, monkeypatch):
    """B7: also on a stream that writes piece by piece, and beside lines that have records."""

    class Slow(io.StringIO):
        def write(self, text: str) -> int:
            return sum(io.StringIO.write(self, character) for character in text)

    stream = Slow()
    monkeypatch.setattr("sys.stdout", stream)
    ROOT.setLevel(logging.INFO)

    def work(number: int) -> None:
        for _ in range(30):
            access.write_access_line(**REQUEST | {"path": f"/{number}"})
            logging.getLogger("shop").info("line of %d", number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([json.loads(line) for line in stream.getvalue().splitlines()]) == 240
    assert printed.without_record == 120
