"""Where lines go for each way in which a project may have set up logging, and the way back (A21, A22, A26)."""

from __future__ import annotations

import json
import logging
import logging.config
import queue
from dataclasses import dataclass

import pytest
import structlog
from django.utils.log import DEFAULT_LOGGING

from otelkit.logs import JSONFormatter, LogItem, TextFormatter, install
from otelkit.logs.console import StdoutHandler
from tests.instrumentation.logs.conftest import RESOURCE, loggers, logging_state, own_handlers

PREFIX = "test_setup."


@dataclass(frozen=True)
class Settings:
    exporters: tuple[str, ...] = ("console",)
    format: str = "json"
    level: str = "INFO"
    stream: str = "auto"
    server_access: bool = True
    quiet: tuple[str, ...] = ()


def prepare_logging() -> None:
    """Django's default tree before each test, as with ``DEBUG = True``, where Django prints."""
    logging.config.dictConfig(DEFAULT_LOGGING)
    for handler in logging.getLogger("django").handlers:
        if handler.name == "console":
            handler.filters.clear()


@pytest.fixture(autouse=True)
def _logging_tree(fresh_logging):
    """Everything back after each test, and loggers that it made are gone."""
    manager = logging.getLogger().manager
    before = [(logger, own_handlers(logger), logger.level, logger.propagate, logger.disabled) for name, logger in loggers().items() if name]
    names = set(manager.loggerDict)
    yield
    for logger, handlers, level, propagate, disabled in before:
        logger.handlers[:] = handlers
        logger.setLevel(level)
        logger.propagate, logger.disabled = propagate, disabled
    for name in set(manager.loggerDict) - names:
        del manager.loggerDict[name]
    manager._clear_cache()  # type: ignore[attr-defined]


@pytest.fixture
def running():
    """Installs, and removes at the end what the test did not remove."""
    installations = []

    def _install(emit_item=None, **settings):
        installations.append(install(Settings(**settings), RESOURCE, emit_item))
        return installations[-1]

    yield _install
    for installation in installations:
        installation.remove()


def _lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_project_without_logging_of_its_own_gets_json_lines_on_stdout(running, capsys):
    notes = running().notes
    logging.getLogger(PREFIX + "a").info("stdlib")
    structlog.get_logger(PREFIX + "b").info("structlog", key=1)
    logging.getLogger("django.request").warning("Not Found: /x")
    out, err = capsys.readouterr()
    assert [line["message"] for line in _lines(out)] == ["stdlib", "structlog", "Not Found: /x"]
    assert all(line["service.name"] == "orders" for line in _lines(out))
    assert err == ""
    assert any("root logger" in note for note in notes)


def test_a_line_of_djangos_server_is_printed_once_and_without_its_query(running, capsys):
    running()
    logging.getLogger("django.server").info(
        '"%s" %s %s', "GET /a?token=hunter2 HTTP/1.1", "200", "12", extra={"server_time": "now", "request": object()}
    )
    out, err = capsys.readouterr()
    (line,) = _lines(out)
    assert line["message"] == '"GET /a?token=REDACTED HTTP/1.1" 200 12'
    assert not {"request", "server_time"} & set(line)
    assert err == ""


def test_errors_still_go_to_the_admins(running):
    handlers = logging.getLogger("django").handlers[:]
    running()
    assert logging.getLogger("django").handlers == handlers  # also Django's console handler, which is silent: its tests look for it there
    assert "AdminEmailHandler" in {type(handler).__name__ for handler in handlers}


def test_a_handler_that_is_silent_for_one_logger_goes_on_for_another(running, capsys):
    """The same handler may stand on a logger whose lines arrive at the root logger, and on one whose lines do not."""
    handler = logging.StreamHandler()
    logging.getLogger(PREFIX + "open").addHandler(handler)
    logging.getLogger(PREFIX + "shut").addHandler(handler)
    logging.getLogger(PREFIX + "shut").propagate = False
    running()
    for name in ("open", "shut"):
        logging.getLogger(PREFIX + name).warning(name)
    out, err = capsys.readouterr()
    assert [line["message"] for line in _lines(out)] == ["open"]
    assert [line["message"] for line in _lines(err)] == ["shut"]


@pytest.mark.parametrize("exporters", [("console",), ("otlp",), ("console", "otlp"), ()])
@pytest.mark.parametrize("configured", [False, True])
def test_removing_restores_everything_exactly(exporters, configured):
    """A26."""
    if configured:
        _configure_like_a_project()
    before = logging_state()
    settings = Settings(exporters=exporters, format="text", level="DEBUG", server_access=False, quiet=("a_library_that_nobody_imports",))
    installation = install(settings, RESOURCE, lambda item: None)
    assert (logging_state() == before) == (not exporters)
    installation.remove()
    assert logging_state() == before
    installation.remove()
    assert logging_state() == before


def test_removing_leaves_what_others_changed_since(running):
    installation = running()
    mine = logging.NullHandler()
    root = logging.getLogger()
    root.addHandler(mine)
    root.setLevel(logging.ERROR)
    installation.remove()
    assert root.handlers == [mine]
    assert root.level == logging.ERROR


def _configure_like_a_project() -> None:
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"plain": {"format": "PLAIN %(message)s"}},
            "handlers": {
                "out": {"class": "logging.StreamHandler", "formatter": "plain", "stream": "ext://sys.stdout"},
                "err": {"class": "logging.StreamHandler", "formatter": "plain"},
                "null": {"class": "logging.NullHandler"},
            },
            "root": {"handlers": ["out"], "level": "INFO"},
            "loggers": {
                "gunicorn.access": {"handlers": ["out"], "level": "INFO", "propagate": False},
                "gunicorn.error": {"handlers": ["err"], "level": "INFO", "propagate": False},
                "uvicorn.access": {"handlers": ["out"], "level": "INFO", "propagate": False},
                "uvicorn": {"handlers": ["err"], "level": "INFO", "propagate": False},
                PREFIX + "quiet": {"handlers": ["null"], "propagate": False},
            },
        }
    )


def test_a_projects_own_handlers_stay_and_write_our_lines(running, capsys):
    """A21: also those of loggers that do not propagate."""
    _configure_like_a_project()
    handlers = {name: logging.getLogger(name).handlers[:] for name in ("", "gunicorn.access", "uvicorn")}
    running()
    logging.getLogger(PREFIX + "a").info("root")
    logging.getLogger("gunicorn.access").info('"%(r)s" %(s)s', {"r": "GET /?token=hunter2 HTTP/1.1", "s": 200})
    logging.getLogger("uvicorn.access").info('%s - "%s %s HTTP/%s" %d', "127.0.0.1:5", "GET", "/?token=hunter2", "1.1", 200)
    logging.getLogger("uvicorn.error").info("Started", extra={"color_message": "\x1b[36mStarted"})
    logging.getLogger("gunicorn.error").warning("Worker")
    out, err = capsys.readouterr()
    messages = [(line["logger"], line["message"]) for line in _lines(out)]
    assert messages == [
        (PREFIX + "a", "root"),
        ("gunicorn.access", '"GET /?token=REDACTED HTTP/1.1" 200'),
        ("uvicorn.access", '127.0.0.1:5 - "GET /?token=REDACTED HTTP/1.1" 200'),
    ]
    assert [line["message"] for line in _lines(err)] == ["Started", "Worker"]
    assert "color_message" not in err
    assert handlers == {name: logging.getLogger(name).handlers for name in handlers}


def test_a_projects_own_level_stays(running):
    _configure_like_a_project()
    running(level="DEBUG")
    assert logging.getLogger().level == logging.INFO


def test_handlers_that_write_elsewhere_keep_their_format_and_the_notes_say_so(running, tmp_path):
    file = logging.FileHandler(tmp_path / "app.log")
    logging.getLogger().addHandler(file)
    notes = running().notes
    logging.getLogger(PREFIX + "a").warning("kept plain")
    file.close()
    assert (tmp_path / "app.log").read_text() == "kept plain\n"
    assert any("FileHandler on root" in note for note in notes)
    assert any("print nothing" in note for note in notes)


def test_a_handler_that_renders_structlog_keeps_doing_it(running, capsys):
    handler = logging.StreamHandler()
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=structlog.dev.ConsoleRenderer(colors=False)))
    logging.getLogger().addHandler(handler)
    structlog.configure(
        processors=[structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    notes = running().notes
    structlog.get_logger(PREFIX + "a").warning("theirs", key=1)
    assert "theirs" in capsys.readouterr().err
    assert any("ProcessorFormatter on root" in note for note in notes)
    assert any("add_trace_context" in note for note in notes)


def test_a_line_is_printed_once_when_the_project_configured_only_a_named_logger(running, capsys):
    """The handler of the documentation's example is on `django`, and ours on the root logger."""
    logger = logging.getLogger(PREFIX + "named")
    logger.addHandler(logging.StreamHandler())
    notes = running().notes
    logger.warning("once")
    out, err = capsys.readouterr()
    assert [line["message"] for line in _lines(out)] == ["once"]
    assert err == ""
    assert any(PREFIX + "named" in note for note in notes)


def test_handlers_of_other_observers_do_not_count_as_the_projects(running, capsys):
    handler = type("LoggingHandler", (logging.NullHandler,), {"__module__": "opentelemetry.instrumentation.logging.handler"})()
    logging.getLogger().addHandler(handler)
    running()
    logging.getLogger(PREFIX + "a").info("printed")
    assert [line["message"] for line in _lines(capsys.readouterr().out)] == ["printed"]


@pytest.mark.parametrize("exporters", [("console",), ("otlp",), ("console", "otlp"), ()])
@pytest.mark.parametrize("configured", [False, True])
def test_a_warning_that_was_visible_before_stays_visible(running, capsys, exporters, configured):
    """A22: with a handler on the root logger, Python's last resort falls silent. Nor is one printed twice that was not."""
    if configured:
        _configure_like_a_project()
    names = (PREFIX + "app", "django.request", PREFIX + "deaf")
    logging.getLogger(PREFIX + "deaf").propagate = False

    def counts() -> list[int]:
        for name in names:
            logging.getLogger(name).warning("look out, %s!", name)
        printed = "".join(capsys.readouterr())
        return [printed.count(f"look out, {name}!") for name in names]

    before = counts()
    assert before == [1, 2 if configured else 1, 1]  # Django's console handler does not know of the project's.
    running(lambda item: None, exporters=exporters)
    after = counts()
    assert all(1 <= now <= then for now, then in zip(after, before, strict=True))


def test_with_otlp_alone_the_last_resort_prints_as_before_and_the_notes_say_how(running, capsys):
    """A22."""
    items: list[LogItem] = []
    notes = running(items.append, exporters=("otlp",)).notes
    logging.getLogger(PREFIX + "a").warning("seen")
    logging.getLogger(PREFIX + "a").info("sent")
    out, err = capsys.readouterr()
    assert (out, err) == ("", "seen\n")
    assert [item.body for item in items] == ["seen", "sent"]
    assert any("last resort" in note for note in notes)


def test_otlp_hears_loggers_that_do_not_propagate_and_each_record_once(running):
    _configure_like_a_project()
    items: list[LogItem] = []
    notes = running(items.append, exporters=("console", "otlp")).notes
    for name in (PREFIX + "a", "gunicorn.error", "uvicorn.error", PREFIX + "quiet", "django.request"):
        logging.getLogger(name).warning(name)
    assert [item.body for item in items] == [PREFIX + "a", "gunicorn.error", "uvicorn.error", PREFIX + "quiet", "django.request"]
    assert any("gunicorn.error" in note and "do not propagate" in note for note in notes)


def test_both_exporters_tell_the_same(running, capsys, tracer):
    items: list[LogItem] = []
    running(items.append, exporters=("console", "otlp"))
    with tracer.start_as_current_span("request"):
        logging.getLogger(PREFIX + "a").info("x", extra={"sku": "a"})
    (line,), (item,) = _lines(capsys.readouterr().out), items
    carried = {"timestamp", "message", "trace_id", "span_id", *RESOURCE}
    assert {key: value for key, value in line.items() if key not in carried} == item.attributes
    assert (line["message"], int(line["trace_id"], 16), int(line["span_id"], 16)) == (item.body, item.trace_id, item.span_id)


def test_access_lines_are_written_whatever_the_level_of_the_root_logger(running):
    running(level="ERROR")
    assert logging.getLogger("otelkit.access").isEnabledFor(logging.INFO)


def test_without_exporters_nothing_is_touched():
    before = logging_state()
    assert install(Settings(exporters=()), RESOURCE, lambda item: None).notes == ("logs: left alone, no exporter is chosen",)
    assert install(Settings(exporters=("otlp",)), RESOURCE, None).notes == ("logs: left alone, no exporter is chosen",)
    assert logging_state() == before


def test_an_unknown_level_is_named_with_the_known_ones():
    before = logging_state()
    with pytest.raises(ValueError, match=r"'LOUD' is not a level of logging\. Take DEBUG"):
        install(Settings(level="LOUD"), RESOURCE, None)
    assert logging_state() == before


@pytest.mark.parametrize(("format", "kind"), [("json", JSONFormatter), ("text", TextFormatter)])
def test_the_format_is_the_chosen_one(running, format, kind):
    running(format=format)
    (handler,) = logging.getLogger().handlers
    assert type(handler.formatter) is kind


@pytest.mark.parametrize(("is_terminal", "no_color", "coloured"), [(True, "", True), (True, "1", False), (False, "", False)])
def test_colour_is_for_terminals_without_no_color(running, capsys, monkeypatch, is_terminal, no_color, coloured):
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setattr("sys.stdout.isatty", lambda: is_terminal)
    running(format="text")
    logging.getLogger(PREFIX + "a").warning("x")
    assert ("\x1b" in capsys.readouterr().out) == coloured


class _BrokenStream:
    encoding = "utf-8"

    def __init__(self, error: Exception) -> None:
        self._error = error

    def write(self, text: str) -> None:
        raise self._error

    def flush(self) -> None:
        raise self._error


@pytest.mark.parametrize("error", [BrokenPipeError(), OSError(28, "No space left"), ValueError("I/O on closed file")])
def test_a_stream_that_breaks_never_reaches_the_caller_and_the_line_goes_to_stderr(running, capsys, monkeypatch, error):
    running()
    handler = logging.getLogger().handlers[0]
    monkeypatch.setattr("sys.stdout", _BrokenStream(error))
    logging.getLogger(PREFIX + "a").warning("kept")
    monkeypatch.undo()
    assert isinstance(handler, StdoutHandler)
    assert handler.failures == 1
    assert [line["message"] for line in _lines(capsys.readouterr().err)] == ["kept"]


def test_without_any_stream_logging_is_silent(running, monkeypatch):
    running()
    monkeypatch.setattr("sys.stdout", None)
    monkeypatch.setattr("sys.stderr", None)
    logging.getLogger(PREFIX + "a").warning("x")
    assert logging.getLogger().handlers[0].failures == 0


def test_a_stream_of_another_encoding_still_gets_valid_json(tmp_path, monkeypatch, running):
    with (tmp_path / "out").open("w", encoding="latin-1") as stream:
        monkeypatch.setattr("sys.stdout", stream)
        running()
        logging.getLogger(PREFIX + "a").warning("Größe 日本 😀")
    assert [line["message"] for line in _lines((tmp_path / "out").read_text(encoding="ascii"))] == ["Größe 日本 😀"]


def test_a_projects_queue_handler_is_left_to_it(running):
    lines: queue.Queue[logging.LogRecord] = queue.Queue()
    logging.getLogger().addHandler(logging.handlers.QueueHandler(lines))
    running()
    logging.getLogger(PREFIX + "a").warning("queued")
    assert lines.get_nowait().getMessage() == "queued"
    assert len(logging.getLogger().handlers) == 1
