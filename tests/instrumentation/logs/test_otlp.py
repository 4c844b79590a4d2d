"""Records on their way to the OTLP exporter."""

from __future__ import annotations

import dataclasses
import logging

import pytest

from otelkit.logs.item import LogItem
from otelkit.logs.otlp import OTLPHandler, silence


@pytest.fixture
def items(fresh_logging) -> list[LogItem]:
    """Everything that reaches the exporter, from DEBUG on."""
    items: list[LogItem] = []
    fresh_logging.addHandler(OTLPHandler(items.append))
    fresh_logging.setLevel(logging.DEBUG)
    return items


def test_a_record_fills_the_fields_of_the_data_model(items, tracer):
    with tracer.start_as_current_span("request") as span:
        record = logging.getLogger("shop").makeRecord(
            "shop", 30, "f", 1, "Cart %s", (7,), None, "f", {"event.name": "cart.lost", "token": "t"}
        )
        record.created = 1795348489.000042
        logging.getLogger("shop").handle(record)
    context = span.get_span_context()
    expected = LogItem(
        time_ns=1795348489000042000,
        severity_number=13,
        severity_text="WARNING",
        body="Cart 7",
        attributes={"level": "warning", "logger": "shop", "trace_sampled": True, "event.name": "cart.lost", "token": "[REDACTED]"},
        trace_id=context.trace_id,
        span_id=context.span_id,
        trace_flags=int(context.trace_flags),
        event_name="cart.lost",
    )
    assert items == [expected]


def test_a_record_outside_a_span_has_zero_ids(items):
    logging.getLogger("shop").info("x")
    assert (items[0].trace_id, items[0].span_id, items[0].trace_flags, items[0].event_name) == (0, 0, 0, "")


@pytest.mark.parametrize(("level", "number"), [(5, 1), (10, 5), (20, 9), (25, 9), (30, 13), (40, 17), (50, 21), (60, 21)])
def test_levels_become_severity_numbers(fresh_logging, items, level, number):
    fresh_logging.setLevel(1)
    logging.getLogger("shop").log(level, "x")
    assert items[0].severity_number == number


@pytest.mark.parametrize("name", ["otelkit", "otelkit.export", "otelkit.logs"])
def test_the_kits_own_lines_are_not_sent(items, name):
    """B8: a failing export that logs must not feed the export."""
    logging.getLogger(name).warning("cannot reach the collector")
    assert items == []


@pytest.mark.parametrize("name", ["otelkit.access", "otelkitten", "shop.otelkit"])
def test_access_lines_and_loggers_that_only_sound_like_ours_are_sent(items, name):
    logging.getLogger(name).warning("x")
    assert len(items) == 1


def test_what_handing_on_logs_does_not_come_back(fresh_logging):
    """B8: one application record stays one record."""
    items: list[LogItem] = []

    def emit_item(item: LogItem) -> None:
        items.append(item)
        logging.getLogger("urllib3.connectionpool").warning("retrying")

    fresh_logging.addHandler(OTLPHandler(emit_item))
    logging.getLogger("shop").warning("x")
    assert [item.body for item in items] == ["x"]


def test_a_thread_that_exports_can_silence_its_http_library(items):
    with silence():
        with silence():
            logging.getLogger("urllib3.connectionpool").debug("POST /v1/logs")
        logging.getLogger("urllib3.connectionpool").debug("200")
    logging.getLogger("shop").info("heard")
    assert [item.body for item in items] == ["heard"]


def test_a_broken_queue_is_counted_and_never_reaches_the_caller(fresh_logging):
    def refuse(item: LogItem) -> None:
        raise RuntimeError(item.body)

    handler = OTLPHandler(refuse)
    fresh_logging.addHandler(handler)
    logging.getLogger("shop").warning("x")
    assert handler.failures == 1


def test_items_are_values():
    assert dataclasses.fields(LogItem)
    item = LogItem(1, 9, "INFO", "x", {}, 0, 0, 0, "")
    with pytest.raises(dataclasses.FrozenInstanceError):
        item.body = "y"  # type: ignore[misc]
