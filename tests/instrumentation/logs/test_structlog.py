"""structlog and the standard library write the same lines (A21)."""

from __future__ import annotations

import asyncio
import logging

import pytest
import structlog

from otelkit.logs import add_trace_context
from otelkit.logs.formatter import JSONFormatter
from otelkit.logs.structlog_bridge import configure_structlog
from tests.instrumentation.logs.conftest import RESOURCE


@pytest.fixture
def lines(keep):
    """Lines of both libraries, as dicts."""
    handler = keep(JSONFormatter(RESOURCE))
    configure_structlog()
    return handler


def _fail(log, **keys) -> None:
    try:
        raise LookupError("no stock")
    except LookupError:
        log.exception("failed %s", 7, **keys)


def test_lines_of_both_libraries_look_the_same(lines, tracer):
    """A21, with context, positional arguments, an exception and its stack."""
    with tracer.start_as_current_span("request"), structlog.contextvars.bound_contextvars(request_id="r1"):
        _fail(logging.getLogger("shop"), extra={"sku": "a"})
        _fail(structlog.get_logger("shop"), sku="a")
    stdlib, native = lines.lines
    assert list(stdlib) == list(native)
    different = {key for key in stdlib if stdlib[key] != native[key]}
    assert different <= {"timestamp"}
    assert (native["message"], native["request_id"], native["sku"]) == ("failed 7", "r1", "a")
    assert "in _fail" in native["exception.stacktrace"]
    assert native["exception.stacktrace"].endswith("LookupError: no stock")


def test_one_event_is_one_line(lines):
    structlog.get_logger("shop").info("once")
    assert len(lines.texts) == 1


def test_a_logger_is_named_after_its_module_when_it_has_no_name(lines):
    structlog.get_logger().info("x")
    structlog.get_logger("shop.cart").info("x")
    assert [line["logger"] for line in lines.lines] == [__name__, "shop.cart"]


def test_levels_are_those_of_the_standard_logger_at_each_call(lines):
    """A level set late, for one package, holds: the native logger's is fixed at first use."""
    log, standard = structlog.get_logger("shop.levels"), logging.getLogger("shop.levels")
    standard.setLevel(logging.WARNING)
    log.info("hidden")
    log.warning("shown")
    standard.setLevel(logging.DEBUG)
    log.debug("shown too")
    assert (log.is_enabled_for(10), log.get_effective_level()) == (True, 10)
    standard.setLevel(logging.NOTSET)
    assert [line["message"] for line in lines.lines] == ["shown", "shown too"]


def test_every_method_has_its_level(lines):
    log = structlog.get_logger("shop").bind(bound=1)
    for method in ("debug", "info", "msg", "warning", "warn", "error", "critical", "fatal"):
        getattr(log, method)("x")
    log.log(30, "x")
    log.log(25, "x")
    expected = ["debug", "info", "info", "warning", "warning", "error", "critical", "critical", "warning", "info"]
    assert [line["level"] for line in lines.lines] == expected
    assert all(line["bound"] == 1 for line in lines.lines)


def test_async_methods_write_at_once_with_the_context_of_the_caller(lines, tracer):
    async def work() -> None:
        log = structlog.get_logger("shop")
        for method in ("adebug", "ainfo", "amsg", "awarning", "awarn", "aerror", "acritical", "afatal"):
            await getattr(log, method)("x")
        await log.alog(20, "x")
        try:
            raise ValueError
        except ValueError:
            await log.aexception("x")

    with tracer.start_as_current_span("request"):
        asyncio.run(work())
    written = [line for line in lines.lines if line["logger"] == "shop"]  # asyncio, too, has something to say.
    assert len(written) == 10
    assert all("trace_id" in line for line in written)
    assert written[-1]["exception.type"] == "ValueError"


def test_keys_that_collide_with_a_records_attributes_are_kept(lines):
    structlog.get_logger("shop").info("x", name="kim", args=(1,), msg="m", module="m", levelname="l", filename="f")
    (line,) = lines.lines
    assert [line[key] for key in ("name", "args", "msg", "module", "levelname", "filename")] == ["kim", [1], "m", "m", "l", "f"]


def test_exceptions_can_be_given_in_every_way(lines):
    log, error = structlog.get_logger("shop"), ValueError("x")
    log.error("a", exc_info=error)
    log.error("b", exc_info=(ValueError, error, None))
    for nothing in (True, 1, False, None, (None, None, None)):  # No exception is being handled here.
        log.error("c", exc_info=nothing)
    assert [line.get("exception.type") for line in lines.lines] == ["ValueError", "ValueError", *[None] * 5]


def test_the_record_says_where_the_call_was(lines, fresh_logging):
    records: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = records.append  # type: ignore[method-assign]
    fresh_logging.addHandler(handler)
    structlog.get_logger("shop").info("x %s", 1, stack_info=True)
    assert (records[0].pathname, records[0].funcName) == (__file__, "test_the_record_says_where_the_call_was")
    assert (records[0].msg, records[0].args) == ("x %s", (1,))  # Unformatted, as those want it who group by message.
    assert "test_the_record_says_where_the_call_was" in lines.lines[0]["code.stacktrace"]


def test_pytests_caplog_sees_structlog(fresh_logging, caplog):
    configure_structlog()
    fresh_logging.addHandler(caplog.handler)
    structlog.get_logger("shop").warning("seen %s", 1)
    assert caplog.messages == ["seen 1"]


def test_structlogs_own_capture_still_works(lines):
    log = structlog.get_logger("shop.captured")
    log.info("before")
    with structlog.testing.capture_logs() as captured:
        log.info("within", sku="a")
    log.info("after")
    assert captured == [{"event": "within", "sku": "a", "log_level": "info"}]
    assert [line["message"] for line in lines.lines] == ["before", "after"]


def test_a_projects_own_configuration_is_left_alone(fresh_logging):
    processors = [structlog.processors.JSONRenderer()]
    structlog.configure(processors=processors)
    note, undo = configure_structlog()
    assert structlog.get_config()["processors"] is processors
    undo()
    assert structlog.get_config()["processors"] is processors
    assert "add_trace_context" in note


def test_undoing_restores_structlogs_defaults_unless_somebody_configured_it_since(fresh_logging):
    _, undo = configure_structlog()
    undo()
    assert not structlog.is_configured()
    _, undo = configure_structlog()
    structlog.configure(wrapper_class=structlog.BoundLogger)
    undo()
    assert structlog.get_config()["wrapper_class"] is structlog.BoundLogger


def test_the_processor_adds_padded_ids_to_a_projects_own_chain(tracer):
    with tracer.start_as_current_span("request") as span:
        event = add_trace_context(None, "info", {"event": "x"})
    assert int(event["trace_id"], 16) == span.get_span_context().trace_id
    assert (len(event["trace_id"]), len(event["span_id"]), event["trace_sampled"]) == (32, 16, True)
    assert add_trace_context(None, "info", {"event": "x"}) == {"event": "x"}
