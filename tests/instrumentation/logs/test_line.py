"""What is in a line, and in which order."""

from __future__ import annotations

import datetime as dt
import json
import logging
import random

import pytest
import structlog
from django.urls import ResolverMatch
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, INVALID_SPAN_CONTEXT, NonRecordingSpan, SpanContext, TraceFlags

from otelkit.config import Requests
from otelkit.logs.formatter import JSONFormatter
from otelkit.logs.line import LineComposer
from otelkit.logs.structlog_bridge import configure_structlog
from otelkit.request.incoming import Incoming
from otelkit.request.state import RequestState, forget
from tests.instrumentation.logs.conftest import RESOURCE

logger = logging.getLogger("shop.cart")


def test_a_line_reads_from_when_to_why(keep, tracer):
    handler = keep(JSONFormatter(RESOURCE))
    with tracer.start_as_current_span("request"), structlog.contextvars.bound_contextvars(**{"request.id": "r1"}):
        try:
            {}["sku"]
        except KeyError:
            logger.exception("Cart %s is gone", 7, extra={"cart.size": 3})
    (line,) = handler.lines
    assert list(line) == [
        "timestamp", "level", "message", "logger",
        "service.name", "service.namespace", "service.version", "deployment.environment.name", "service.instance.id",
        "trace_id", "span_id", "trace_sampled",
        "request.id", "cart.size",
        "exception.type", "exception.message", "exception.stacktrace", "error.fingerprint",
    ]  # fmt: skip
    assert (line["level"], line["message"], line["logger"], line["cart.size"]) == ("error", "Cart 7 is gone", "shop.cart", 3)


def test_the_time_is_that_of_the_record_in_utc_with_microseconds():
    record = logging.makeLogRecord({"created": 1795348489.000042, "msg": "x"})
    assert LineComposer({}).compose(record)["timestamp"] == "2026-11-22T11:54:49.000042Z"
    moment = dt.datetime.fromisoformat(LineComposer({}).compose(logging.makeLogRecord({"created": 0.9999999}))["timestamp"])
    assert moment == dt.datetime(1970, 1, 1, 0, 0, 1, tzinfo=dt.UTC)


@pytest.mark.parametrize("created", [float("nan"), float("inf"), -1.0, 1e300, "soon", None])
def test_a_time_that_no_calendar_has_becomes_now(created):
    before = dt.datetime.now(dt.UTC)
    line = LineComposer({}).compose(logging.makeLogRecord({"created": created, "msg": "kept"}))
    assert line["message"] == "kept"
    assert before <= dt.datetime.fromisoformat(line["timestamp"]) <= dt.datetime.now(dt.UTC)


@pytest.mark.parametrize("road", ["stdlib", "structlog"])
def test_a_thousand_random_trace_ids_arrive_padded_and_equal(keep, encoder, road):
    """A1: today one line in sixteen cannot be joined to its trace."""
    handler = keep(JSONFormatter(RESOURCE))
    configure_structlog()
    log = logging.getLogger("shop") if road == "stdlib" else structlog.get_logger("shop")
    digits = random.Random(7)
    contexts = [
        # Every other one begins with zeros.
        SpanContext(
            digits.getrandbits(128 if n % 2 else 90) or 1,
            digits.getrandbits(64 if n % 2 else 40) or 1,
            is_remote=False,
            trace_flags=TraceFlags(1),
        )
        for n in range(1_000)
    ]
    for context in contexts:
        with trace.use_span(NonRecordingSpan(context)):
            log.info("line")
    assert len(handler.texts) == 1_000
    for context, line in zip(contexts, handler.lines, strict=True):
        assert (len(line["trace_id"]), len(line["span_id"])) == (32, 16)
        assert (int(line["trace_id"], 16), int(line["span_id"], 16)) == (context.trace_id, context.span_id)


def test_a_sampled_out_request_keeps_its_trace_id(keep, tracer, unsampled_tracer):
    """A2: absent today."""
    handler = keep(JSONFormatter(RESOURCE))
    with unsampled_tracer.start_as_current_span("request"):
        logger.info("out")
    with tracer.start_as_current_span("request"):
        logger.info("in")
    out, kept = handler.lines
    assert (len(out["trace_id"]), out["trace_sampled"], kept["trace_sampled"]) == (32, False, True)


def test_without_a_span_there_are_no_ids(keep):
    handler = keep(JSONFormatter(RESOURCE))
    logger.info("alone")
    assert not {"trace_id", "span_id", "trace_sampled"} & set(handler.lines[0])


def test_a_callers_key_never_overwrites_one_of_ours(keep, tracer):
    handler = keep(JSONFormatter(RESOURCE))
    configure_structlog()
    theirs = {"trace_id": "forged", "level": "fine", "timestamp": 0, "service.name": "other", "exception.type": "Forged"}
    with tracer.start_as_current_span("request") as span:
        logger.info("stdlib", extra=theirs)
        structlog.get_logger("shop.cart").info("structlog", message="forged", logger="forged", name="kim", args=[1], **theirs)
    for line in handler.lines:
        assert int(line["trace_id"], 16) == span.get_span_context().trace_id
        assert (line["level"], line["service.name"], line["logger"]) == ("info", "orders", "shop.cart")
        assert {line[f"extra.{key}"] for key in ("trace_id", "service.name", "exception.type")} == {"forged", "other", "Forged"}
    last = handler.lines[1]
    assert (last["message"], last["extra.message"], last["name"], last["args"]) == ("structlog", "forged", "kim", [1])


def test_levels_have_one_name_each(keep):
    handler = keep(JSONFormatter())
    logging.addLevelName(25, "NOTICE")
    for level in (10, 20, 25, 30, 40, 50):
        logger.log(level, "x")
    assert [line["level"] for line in handler.lines] == ["debug", "info", "notice", "warning", "error", "critical"]


def test_a_message_that_does_not_fit_its_arguments_is_still_written(keep):
    handler = keep(JSONFormatter())
    for message, argument in (("%s and %s", "one"), ("none", "one"), ("%d", "text")):
        logger.info(message, argument)
    assert [line["message"] for line in handler.lines] == ["%s and %s ['one']", "none ['one']", "%d ['text']"]


def test_an_exception_tells_type_message_stack_and_cause_but_no_local_value(keep):
    """A21: the stack is lost, or locals are leaked, today."""
    handler = keep(JSONFormatter())
    local_value = "hun" + "ter2"
    try:
        try:
            raise ConnectionError("password=hunter2")
        except ConnectionError as error:
            error.add_note("token: hunter2")
            raise LookupError("no stock") from error
    except LookupError:
        logger.exception("failed")
    (line,) = handler.lines
    stack = line["exception.stacktrace"]
    assert (line["exception.type"], line["exception.message"]) == ("LookupError", "no stock")
    assert (
        stack.index("ConnectionError: password=[REDACTED]\ntoken: [REDACTED]")
        < stack.index("direct cause")
        < stack.index("LookupError: no stock")
    )
    assert 'raise LookupError("no stock") from error' in stack
    assert local_value not in stack


def test_an_exception_of_the_project_is_named_with_its_module(keep):
    handler = keep(JSONFormatter())
    logger.error("x", exc_info=OutOfStockError("sku"))
    assert handler.lines[0]["exception.type"] == f"{__name__}.OutOfStockError"


def test_groups_endless_chains_and_deep_recursion_stay_bounded(keep):
    handler = keep(JSONFormatter())
    group = ExceptionGroup("several", [ValueError(n) for n in range(50)])
    ring = ValueError("a")
    ring.__cause__ = KeyError("b")
    ring.__cause__.__cause__ = ring
    chain: BaseException = ValueError(0)
    for n in range(3_000):
        following = ValueError(n)
        following.__context__ = chain
        chain = following
    for error in (group, ring, chain):
        logger.error("x", exc_info=error)
    try:
        _recurse()
    except RecursionError:
        logger.exception("deep")
    assert "[1 of 50]" in handler.lines[0]["exception.stacktrace"]
    assert all(len(line["exception.stacktrace"]) < 20_000 for line in handler.lines)


def test_the_fingerprint_survives_moved_lines_and_tells_places_apart(keep):
    handler = keep(JSONFormatter())
    for source in (
        "def f():\n raise ValueError(1)\nf()",
        "\n\n\ndef f():\n\n raise ValueError(2)\nf()",
        "def g():\n raise ValueError(1)\ng()",
    ):
        try:
            exec(compile(source, "/srv/shop/views.py", "exec"), {"__name__": "shop.views"})
        except ValueError:
            logger.exception("x")
    first, moved, other = [line["error.fingerprint"] for line in handler.lines]
    assert first == moved != other
    assert len(first) == 16


def test_an_error_without_an_exception_has_no_exception_keys(keep):
    handler = keep(JSONFormatter())
    logger.error("x", exc_info=(None, None, None))
    assert not [key for key in handler.lines[0] if key.startswith("exception.")]


def test_stack_info_is_kept(keep):
    handler = keep(JSONFormatter())
    logger.info("where", stack_info=True)
    assert "test_stack_info_is_kept" in handler.lines[0]["code.stacktrace"]


def test_a_record_with_thousands_of_keys_is_one_bounded_line(keep):
    handler = keep(JSONFormatter())
    logger.info("x", extra={f"key{n}": "y" * 10_000 for n in range(1_000)})
    assert len(handler.texts[0]) < 256 * 1024
    assert handler.lines[0]["..."] == "<872 more>"


def test_djangos_request_records_hold_no_request_and_no_query_string(keep, rf_request):
    handler = keep(JSONFormatter())
    request = rf_request("/pay?card=hunter2")
    logging.getLogger("django.request").warning("Not Found: %s", request.get_full_path(), extra={"status_code": 404, "request": request})
    (line,) = handler.lines
    assert (line["message"], line["status_code"]) == ("Not Found: /pay?card=REDACTED", 404)
    assert "request" not in line


def test_the_token_of_a_path_is_not_in_djangos_own_message(keep, rf_request):
    """C1: path secrets."""
    handler = keep(JSONFormatter())
    request = rf_request("/reset/MQ/hunter2/")
    request.resolver_match = ResolverMatch(lambda request: None, (), {"uidb64": "MQ", "token": "hunter2"})
    logging.getLogger("django.request").error("Internal Server Error: %s", request.path, extra={"status_code": 500, "request": request})
    assert handler.lines[0]["message"] == "Internal Server Error: /reset/MQ/[REDACTED]/"


def test_djangos_sql_lines_lose_their_parameters(keep):
    """C1: SQL literal."""
    handler = keep(JSONFormatter())
    sql = "SELECT * FROM users WHERE password = 'hunter2'"
    extra = {"duration": 0.1, "sql": sql, "params": ("hunter2",), "alias": "default"}
    message = "(%.3f) %s; args=%s; alias=%s"
    args = (0.1, sql, ("hunter2",), "default")
    handler.handle(logging.makeLogRecord({"name": "django.db.backends", "levelno": 10, "msg": message, "args": args, **extra}))
    assert "hunter2" not in handler.texts[0]
    assert handler.lines[0]["message"] == "SELECT * FROM users WHERE password = ?"


def test_objects_of_django_are_shown_without_waking_them(keep, rf_request, django_assert_no_queries):
    """A12: logging `request.user` must not load the user."""
    from django.utils.functional import SimpleLazyObject

    from tests.project.models import Item

    woken = []
    lazy = SimpleLazyObject(lambda: woken.append(1) or "kim")
    loaded = SimpleLazyObject(lambda: {"password": "hunter2"})
    assert loaded["password"]
    handler = keep(JSONFormatter())
    with django_assert_no_queries():
        extra = {"user": lazy, "loaded": loaded, "item": Item(pk=7, name="x"), "items": Item.objects.all(), "http": rf_request("/a?b=c")}
        logger.info("x", extra=extra)
    (line,) = handler.lines
    assert line["user"] == "<SimpleLazyObject, not loaded>"
    assert line["loaded"] == {"password": "[REDACTED]"}
    assert (line["item"], line["items"], line["http"]) == ("project.Item(pk=7)", "<QuerySet of project.Item>", "GET /a")
    assert woken == []


def test_both_encoders_write_the_same_bytes(monkeypatch):
    """orjson is a speed-up, never a difference."""
    record = logging.makeLogRecord(
        {"name": "shop", "msg": 'Größe \x00\x1f\x7f\u2028"\\/', "levelno": 20, "created": 1.5, "n": [1, 2.5, None, True, {"a": "é"}]}
    )
    with_orjson = JSONFormatter(RESOURCE).format(record)
    monkeypatch.setitem(__import__("sys").modules, "orjson", None)
    without = JSONFormatter(RESOURCE).format(record)
    ascii_only = JSONFormatter(RESOURCE, ascii_only=True).format(record)
    assert with_orjson == without
    assert ascii_only.isascii()
    assert json.loads(ascii_only) == json.loads(without)


class OutOfStockError(Exception):
    pass


def _recurse() -> None:
    _recurse()


def test_a_request_that_got_no_span_gives_its_lines_no_ids(keep, rf_request):
    """B6: where the span could not be started, zeros would look like a trace."""
    request = rf_request("/")
    state = RequestState(request, "GET", "http", 0.0, INVALID_SPAN, INVALID_SPAN_CONTEXT, Context(), Incoming(Requests()))
    forget(state)
    handler = keep(JSONFormatter())
    logging.getLogger("django.request").warning("Not Found", extra={"request": request})
    assert not {"trace_id", "span_id", "trace_sampled"} & set(handler.lines[0])
