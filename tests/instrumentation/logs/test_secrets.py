"""C1: a secret that is logged, in any way, is in no output."""

from __future__ import annotations

import logging

import pytest
import structlog

from otelkit.logs.formatter import JSONFormatter, TextFormatter
from otelkit.logs.otlp import OTLPHandler
from otelkit.logs.structlog_bridge import configure_structlog

SECRET = "hunter2secret"
CARD = "4111111111111111"
JWT = f"eyJhbGciOiJIUzI1NiJ9.{SECRET}.{SECRET}"


def _raise(message: object) -> None:
    raise ValueError(message)


WAYS = {
    "key": {"password": SECRET},
    "header": {"http.request.header.authorization": f"Bearer {SECRET}"},
    "cookie": {"Set-Cookie": f"sessionid={SECRET}"},
    "nested key": {"body": {"user": {"api_key": SECRET}}},
    "key in a list": {"items": [{"token": SECRET}]},
    "query string": {"url": f"/pay?account={SECRET}"},
    "user of a URL": {"url": f"https://app:{SECRET}@host/"},
    "DSN": {"problem": f"cannot reach postgres://app:{SECRET}@db/shop"},
    "pair in a value": {"detail": f"failed with secret={SECRET}"},
    "header in a value": {"detail": f"sent Authorization: Bearer {SECRET}"},
    "JWT": {"detail": f"got {JWT}"},
    "card number": {"detail": f"declined {CARD}"},
    "exception as a value": {"error": ValueError(f"password={SECRET}")},
    "bytes": {"raw": f"password={SECRET}".encode()},
}


@pytest.fixture(params=["json", "text", "otlp"])
def output(request, keep, fresh_logging):
    """All that a sink was given, as text."""
    if request.param == "otlp":
        items = []
        fresh_logging.addHandler(OTLPHandler(items.append))
        fresh_logging.setLevel(logging.DEBUG)
        return lambda: repr(items)
    handler = keep(JSONFormatter() if request.param == "json" else TextFormatter())
    return lambda: "\n".join(handler.texts)


def _is_clean(text: str) -> bool:
    assert "canary" in text
    return SECRET not in text and CARD not in text


@pytest.mark.parametrize("way", WAYS)
def test_no_secret_of_a_key_or_value_is_written(output, way):
    configure_structlog()
    logging.getLogger("shop").info("canary", extra=WAYS[way])
    structlog.get_logger("shop").info("canary", **WAYS[way])
    assert _is_clean(output())


@pytest.mark.parametrize(
    ("message", "args"),
    [
        (f"canary password={SECRET}", ()),
        ("canary token: %s", (SECRET,)),
        ("canary %s", ({"password": SECRET},)),
        ("canary %s %s", ({"password": SECRET}, [{"secret": SECRET}])),
        ("canary %(password)s", ({"password": SECRET},)),
        ("canary GET /a?x=%s", (SECRET,)),
        ({"canary": 1, "password": SECRET}, ()),
    ],
)
def test_no_secret_of_a_message_is_written(output, message, args):
    configure_structlog()
    logging.getLogger("shop").info(message, *args)
    structlog.get_logger("shop").info(message, *args)
    assert _is_clean(output())


@pytest.mark.parametrize(
    "message", [f"canary password={SECRET}", {"canary": 1, "password": SECRET}, f"canary https://a:{SECRET}@host", f"canary {JWT}"]
)
def test_no_secret_of_an_exception_is_written_not_even_in_its_stack_or_a_local(output, message):
    configure_structlog()
    local = SECRET
    for log in (logging.getLogger("shop"), structlog.get_logger("shop")):
        try:
            try:
                _raise(message)
            except ValueError as error:
                raise LookupError(message) from error
        except LookupError:
            log.exception("canary")
    assert local
    assert _is_clean(output())
