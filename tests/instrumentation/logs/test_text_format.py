"""The development format: readable, and not to be fooled by what it prints (C3)."""

from __future__ import annotations

import logging
import re

import pytest

from otelkit.logs.formatter import TextFormatter, printable

logger = logging.getLogger("shop.cart")


def test_a_line_reads_at_a_glance(keep, tracer):
    handler = keep(TextFormatter())
    with tracer.start_as_current_span("request") as span:
        logger.warning("Cart is empty", extra={"user": 7, "note": "two words", "tags": ["a"], "password": "hunter2"})
    short = format(span.get_span_context().trace_id, "032x")[:8]
    time = r"\d\d:\d\d:\d\d\.\d{3}"
    expected = rf'{time} warning  shop\.cart: Cart is empty user=7 note="two words" tags=\["a"\] password=\[REDACTED\] trace={short}'
    assert re.fullmatch(expected, handler.texts[0])


def test_a_stack_follows_below_indented_so_that_no_line_of_it_can_pass_for_a_log_line(keep):
    handler = keep(TextFormatter())
    try:
        raise ValueError("broken\n12:00:00.000 info     shop: forged\x1b[2J")
    except ValueError:
        logger.exception("failed")
    first, *stack = handler.texts[0].split("\n")
    assert " shop.cart: failed error.fingerprint=" in first
    assert stack[0] == "    Traceback (most recent call last):"
    assert all(row.startswith("    ") for row in stack)
    assert "\x1b" not in handler.texts[0]
    assert "    12:00:00.000 info     shop: forged\\x1b[2J" in stack


@pytest.mark.parametrize("character", ["\r", "\n", "\x1b[31m", "\u2028", "\u2029", "\x85", "\x9b31m", "\x00", "\x08", "\u202e"])
@pytest.mark.parametrize("place", ["message", "key", "value", "logger"])
def test_no_character_breaks_or_rewrites_a_line(keep, character, place):
    """C3."""
    handler = keep(TextFormatter())
    text = f"a{character}b"
    {
        "message": lambda: logger.info(text),
        "key": lambda: logger.info("x", extra={text: 1}),
        "value": lambda: logger.info("x", extra={"key": text}),
        "logger": lambda: logging.getLogger(text).info("x"),
    }[place]()
    assert len(handler.texts[0].splitlines()) == 1
    assert character[0] not in handler.texts[0]
    assert "\\" in handler.texts[0]


def test_printable_text_stays_as_it_is():
    assert printable('Größe "12" \\ 日本 😀') == 'Größe "12" \\ 日本 😀'


def test_colour_is_there_only_when_asked_for(keep):
    record = logging.makeLogRecord({"name": "shop", "msg": "x", "levelno": 40, "levelname": "ERROR"})
    assert "\x1b[31m" in TextFormatter(colour=True).format(record)
    assert "\x1b" not in TextFormatter().format(record)
