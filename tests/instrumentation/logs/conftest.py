"""Logging as a fresh process has it, a tracer, and handlers that keep what they are given."""

from __future__ import annotations

import importlib.util
import json
import logging
import sys
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest
import structlog
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import Tracer

RESOURCE = {
    "service.name": "orders",
    "service.namespace": "shop",
    "service.version": "1.0",
    "deployment.environment.name": "test",
    "service.instance.id": "host:0",
    "host.name": "host",
}


class KeepingHandler(logging.Handler):
    """Formats each record and keeps the text."""

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.format(record))

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(text) for text in self.texts]


def loggers() -> dict[str, logging.Logger]:
    """Each logger by name, the root logger's is empty."""
    known = dict(logging.getLogger().manager.loggerDict)
    return {"": logging.getLogger()} | {name: logger for name, logger in known.items() if isinstance(logger, logging.Logger)}


def own_handlers(logger: logging.Logger) -> list[logging.Handler]:
    """The logger's handlers without pytest's."""
    return [handler for handler in logger.handlers if not type(handler).__module__.startswith("_pytest")]


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Take pytest's own handlers off the loggers: they raise for the values that these tests log.

    A module's ``prepare_logging`` is called here and not by a fixture, because ``capsys`` exchanges the streams after fixtures.
    """
    for logger in loggers().values():
        logger.handlers[:] = own_handlers(logger)
    if prepare := getattr(item.module, "prepare_logging", None):  # type: ignore[attr-defined]
        prepare()
    return (yield)


@pytest.fixture(params=["orjson", "json"])
def encoder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each test that asks for it runs with orjson and without."""
    if request.param == "json":
        monkeypatch.setitem(sys.modules, "orjson", None)
    elif importlib.util.find_spec("orjson") is None:
        pytest.skip("orjson is not installed")
    return str(request.param)


@pytest.fixture
def tracer() -> Tracer:
    return TracerProvider().get_tracer("tests")


@pytest.fixture
def unsampled_tracer() -> Tracer:
    return TracerProvider(sampler=ALWAYS_OFF).get_tracer("tests")


@pytest.fixture
def fresh_logging() -> Iterator[logging.Logger]:
    """The root logger without handlers (pytest puts some there) and structlog without configuration."""
    root = logging.getLogger()
    handlers, level = own_handlers(root), root.level
    structlog_before = structlog.get_config() if structlog.is_configured() else None
    root.handlers[:] = []
    root.setLevel(logging.WARNING)
    structlog.reset_defaults()
    yield root
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    if structlog_before is not None:
        structlog.configure(**structlog_before)


@pytest.fixture
def keep(fresh_logging: logging.Logger) -> Callable[[logging.Formatter], KeepingHandler]:
    """Puts a keeping handler with this formatter on the root logger, at DEBUG."""

    def _keep(formatter: logging.Formatter) -> KeepingHandler:
        handler = KeepingHandler(formatter)
        fresh_logging.addHandler(handler)
        fresh_logging.setLevel(logging.DEBUG)
        return handler

    return _keep


def logging_state() -> dict[str, Any]:
    """Everything that an installation may change, as plain values. A logger that nobody configured is as good as none."""
    state: dict[str, Any] = {"structlog": structlog.get_config() if structlog.is_configured() else None}
    for name, logger in loggers().items():
        handlers = [(handler, handler.formatter, handler.level, tuple(handler.filters)) for handler in logger.handlers]
        found = (handlers, logger.level, logger.propagate, logger.disabled, list(logger.filters))
        if found != ([], logging.NOTSET, True, False, []):
            state[name] = found
    return state


@pytest.fixture
def rf_request() -> Callable[[str], Any]:
    """A GET request for this path, as Django's test tools make it."""
    from django.test import RequestFactory

    return RequestFactory().get


@pytest.fixture
def django_assert_no_queries() -> Callable[[], Any]:
    """A context in which a query is an error."""
    from contextlib import contextmanager

    from django.db import connection

    @contextmanager
    def _assert() -> Iterator[None]:
        def refuse(execute: Any, sql: str, *_: Any) -> Any:
            raise AssertionError(f"a query was made: {sql}")

        with connection.execute_wrapper(refuse):
            yield

    return _assert
