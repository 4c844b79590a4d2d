"""B5: nothing that a program logs can raise, break a line, or lose one, on any road."""

from __future__ import annotations

import json
import logging

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from otelkit.logs.formatter import JSONFormatter, TextFormatter
from otelkit.logs.item import LogItem
from otelkit.logs.otlp import OTLPHandler
from otelkit.logs.structlog_bridge import configure_structlog
from otelkit.plain_values import Cleaner
from tests.instrumentation.logs.conftest import RESOURCE
from tests.instrumentation.logs.hostile import HOSTILE, BrokenError, BrokenStr

each = pytest.mark.parametrize("name", HOSTILE)


def _strict(text: str) -> dict[str, object]:
    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    text.encode("utf-8")
    assert len(text.splitlines()) == 1
    return json.loads(text, parse_constant=refuse)  # type: ignore[no-any-return]


def _own(texts: list[str]) -> list[str]:
    """Without what LoudStr logs about itself."""
    return [text for text in texts if '"logger":"hostile"' not in text and " hostile: " not in text]


@each
@pytest.mark.parametrize("place", ["extra", "message", "argument", "nested"])
def test_any_value_is_one_valid_json_line(keep, encoder, name, place):
    handler = keep(JSONFormatter(RESOURCE))
    value = HOSTILE[name]
    logger = logging.getLogger("shop")
    {
        "extra": lambda: logger.info("x", extra={"value": value, "after": 1}),
        "message": lambda: logger.info(value),
        "argument": lambda: logger.info("x %s %s", value, 1),
        "nested": lambda: logger.info("x", extra={"value": {"list": [value]}, "after": 1}),
    }[place]()
    (text,) = _own(handler.texts)
    line = _strict(text)
    assert line["level"] == "info"
    assert len(text) < 256 * 1024
    if place in ("extra", "nested"):
        assert (line["message"], line["after"]) == ("x", 1)
        assert "value" in line


@each
def test_any_value_is_one_line_of_text(keep, name):
    """C3 on the console."""
    handler = keep(TextFormatter())
    logging.getLogger("shop").info("x %s %s", HOSTILE[name], 1, extra={"value": HOSTILE[name]})
    (text,) = _own(handler.texts)
    assert len(text.splitlines()) == 1
    assert "\x1b" not in text
    text.encode("utf-8")


@each
def test_any_value_becomes_an_otlp_record_that_can_be_encoded(fresh_logging, name):
    items: list[LogItem] = []
    fresh_logging.addHandler(OTLPHandler(items.append))
    logging.getLogger("shop").warning("x %s %s", HOSTILE[name], 1, extra={"value": HOSTILE[name]})
    item = next(item for item in items if item.attributes["logger"] == "shop")
    assert _any_value({"body": item.body, **item.attributes}).SerializeToString()


@each
def test_any_value_passes_through_structlog(keep, encoder, name):
    handler = keep(JSONFormatter(RESOURCE))
    configure_structlog()
    log = structlog.get_logger("shop")
    log.info("x %s", HOSTILE[name], value=HOSTILE[name])
    log.bind(bound=HOSTILE[name]).info(HOSTILE[name])
    first, second = (_strict(text) for text in _own(handler.texts))
    assert str(first["message"]).startswith("x ")
    assert "value" in first
    assert "bound" in second


@each
def test_any_value_of_an_exception_leaves_the_exception_alone(keep, name):
    handler = keep(JSONFormatter(RESOURCE))
    raised = ValueError(HOSTILE[name])
    try:
        raise raised
    except ValueError:
        logging.getLogger("shop").exception("x")
    assert raised.args[0] is HOSTILE[name]
    (text,) = _own(handler.texts)
    assert _strict(text)["exception.type"] == "ValueError"


def test_an_exception_without_a_message_to_show_still_has_its_stack(keep):
    handler = keep(JSONFormatter())
    logging.getLogger("shop").error("x", exc_info=BrokenError())
    assert handler.lines[0]["exception.message"] == "<unserializable BrokenError: RuntimeError>"
    assert handler.lines[0]["exception.stacktrace"].endswith("hostile.BrokenError: <unserializable BrokenError: RuntimeError>")


def test_a_value_that_logs_while_it_is_shown_does_not_log_for_ever(keep):
    handler = keep(JSONFormatter())
    logging.getLogger("shop").info("x", extra={"value": HOSTILE["logs while shown"]})
    assert [(line["logger"], line.get("value")) for line in handler.lines] == [("hostile", None), ("shop", "loud")]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("circular", {"a": 1, "self": "<circular>", "list": ["<circular>"]}),
        ("broken __str__", "<unserializable BrokenStr: RuntimeError>"),
        ("broken __repr__", "<unserializable BrokenRepr: ValueError>"),
        ("broken mapping", "<unserializable BrokenMapping: KeyError>"),
        ("hostile str subclass", "text"),
        ("hostile int subclass", str(2**80)),
        ("lone surrogate", "a\ufffdb"),
        ("surrogate pair in halves", "\U0001f600"),
        ("NUL", "a\x00b"),
        ("NaN", "NaN"),
        ("infinity", ["Infinity", "-Infinity"]),
        ("2**70", str(2**70)),
        ("10**5000", "<integer of 16610 bits>"),
        ("10 MB", "x" * 8192 + "... [truncated, 10000000 characters]"),
        ("bytes", "\\xff\x00abc"),
        ("lazy that raises", "<SimpleLazyObject, not loaded>"),
        ("lazy string that raises", "<unserializable __proxy__: RuntimeError>"),
        ("dataclass", {"name": "kim", "password": "[REDACTED]"}),
        ("named tuple", {"user": "kim", "password": "[REDACTED]"}),
        ("set", [1, 2, 3]),
        ("datetime", "2026-11-22T13:00:00+00:00"),
        ("duration", 1.5),
        ("UUID", "00000000-0000-0000-0000-000000000007"),
        ("Decimal", "1.10"),
        ("lazy text", "hello"),
    ],
)
def test_what_is_shown_instead_says_what_it_was(name, expected):
    assert Cleaner().value(HOSTILE[name]) == expected


def test_a_generator_is_not_consumed():
    generator = (n for n in range(3))
    assert "generator" in Cleaner().value(generator)
    assert list(generator) == [0, 1, 2]


def test_wide_and_deep_values_say_what_was_left_out():
    assert Cleaner().value(list(range(100)))[-1] == "<36 more>"
    assert Cleaner().value({str(n): n for n in range(100)})["..."] == "<36 more>"
    assert "<nested too deep>" in json.dumps(Cleaner().value(HOSTILE["3000 deep"]))


def test_keys_of_all_kinds_become_text():
    keys = list(Cleaner().value(HOSTILE["keys of all kinds"]))
    assert keys[:4] == ["1", "None", "(1, 2)", "<unserializable BrokenStr: RuntimeError>"]
    assert "\ufffd" in keys
    assert all(len(key) < 200 for key in keys)
    record = logging.makeLogRecord({"msg": "x"})
    record.__dict__[7] = "seven"  # type: ignore[index]
    record.__dict__[BrokenStr()] = "broken"  # type: ignore[index]
    assert _strict(JSONFormatter().format(record))["7"] == "seven"


_anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.text(alphabet=st.characters(categories=["Cs", "Cc", "Zl", "Zp"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers() | st.floats(), inner) | st.tuples(inner, inner),
    max_leaves=30,
)


@given(message=st.text(), value=_anything, key=st.text())
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_logged_is_one_valid_json_line(encoder, message, value, key):
    """With lone surrogates, control characters and numbers of any size among it."""
    record = logging.makeLogRecord({"name": "shop", "msg": message, "levelno": 20, "levelname": "INFO"})
    record.__dict__.setdefault(key, value)
    assert _strict(JSONFormatter(RESOURCE).format(record))["logger"] == "shop"
    assert len(TextFormatter().format(record).splitlines()) == 1


def _any_value(value: object) -> AnyValue:
    """As an encoder does it: raises for what protobuf cannot hold."""
    encoded = AnyValue()
    match value:
        case None:
            pass
        case bool():
            encoded.bool_value = value
        case int():
            encoded.int_value = value
        case float():
            encoded.double_value = value
        case str():
            encoded.string_value = value
        case list():
            encoded.array_value.values.extend(map(_any_value, value))
        case dict():
            for key, item in value.items():
                encoded.kvlist_value.values.add(key=key, value=_any_value(item))
        case _:
            raise AssertionError(f"{type(value)} is no attribute value")
    return encoded
