"""A21: what a project's own LOGGING does to its lines is handled, or a check says it."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import textwrap

import pytest
import structlog
from django.conf import settings
from django.test import override_settings

from otelkit.checks import Project
from otelkit.config import load
from otelkit.logs import add_trace_context
from otelkit.testing import capture
from tests.instrumentation.checks.looking import a_logging, look

CONSOLE = {"class": "logging.StreamHandler"}
FILE = {"class": "logging.FileHandler", "filename": "/dev/null", "delay": True}
QUIET_DJANGO = {"django": {"handlers": []}}


def project(**otelkit: object) -> Project:
    return Project(load({"service": {"name": "shop"}, **otelkit}, {}), {}, settings)


def logging_of(*, root: list[str] | None = None, loggers: dict[str, object] | None = None, **more: object) -> dict[str, object]:
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"console": CONSOLE, "file": FILE, "other": CONSOLE, "null": {"class": "logging.NullHandler"}},
        **({"root": {"handlers": root, "level": "INFO"}} if root is not None else {}),
        "loggers": loggers or {},
        **more,
    }


@pytest.mark.parametrize(
    ("logger", "exporters", "expected"),
    [
        ({"propagate": False, "handlers": ["file"]}, ["console"], "W050"),
        ({"propagate": False, "handlers": ["file", "console"]}, ["console"], None),
        ({"propagate": True, "handlers": ["file"]}, ["console"], None),
        ({"propagate": False, "handlers": []}, ["console"], None),
        ({"propagate": False, "handlers": ["null"]}, ["console"], None),
        ({"propagate": False, "handlers": ["file"]}, ["otlp"], None),
    ],
    ids=["apart", "prints too", "propagates", "silenced on purpose", "silenced by a null handler", "over OTLP"],
)
def test_a_logger_apart_from_the_others_is_reported(logger, exporters, expected):
    """W050."""
    with a_logging(logging_of(loggers={"shop.audit": logger})):
        found = look(project(logs={"exporters": exporters}))
    assert [id_ for id_, _, _ in found] == ([expected] if expected else [])
    if found:
        assert found[0][1] == ('Lines of the logger "shop.audit" do not reach standard output: it does not propagate, and has only file.')
        assert 'take "propagate": False out' in found[0][2]


@pytest.mark.parametrize(
    ("root", "logger", "expected"),
    [
        (["console"], {"handlers": ["other"]}, "W051"),
        (["console"], {"handlers": ["console"]}, "W051"),
        (["console"], {"handlers": ["other"], "propagate": False}, None),
        (["console"], {"handlers": ["file"]}, None),
        (None, {"handlers": ["other"]}, None),  # then ours is the only one: the others step aside
    ],
    ids=["two handlers", "one handler twice", "does not propagate", "a file too", "none on the root"],
)
def test_lines_that_are_printed_twice_are_reported(root, logger, expected):
    """W051."""
    with a_logging(logging_of(root=root, loggers={"shop": logger, **QUIET_DJANGO})):
        found = look(project())
    assert [id_ for id_, _, _ in found] == ([expected] if expected else [])
    if found:
        assert 'Each line of the logger "shop" is printed twice' in found[0][1]


@pytest.mark.parametrize(("level", "is_reported"), [("INFO", True), ("ERROR", False)])
def test_two_handlers_on_the_root_logger_are_reported_where_they_print_the_same(level, is_reported):
    """W051; two that share the work by level are a choice."""
    handlers = {"one": {**CONSOLE, "level": "INFO"}, "two": {**CONSOLE, "level": level}}
    with a_logging(logging_of(root=["one", "two"], loggers=QUIET_DJANGO, handlers=handlers)):
        found = look(project())
    assert [id_ for id_, _, _ in found] == (["W051"] if is_reported else [])
    if found:
        assert "Each line is printed 2 times: the root logger has one, two" in found[0][1]


@pytest.mark.parametrize("debug", [True, False])
def test_djangos_own_console_handler_doubles_lines_only_while_debug_is_on(debug):
    """W051: its filter bars it otherwise."""
    with override_settings(DEBUG=debug), a_logging(logging_of(root=["console"])):
        found = look(project(preset="development"))
    assert [(id_, '"django"' in message) for id_, message, _ in found] == ([("W051", True)] if debug else [])


@pytest.mark.parametrize(
    ("root", "exporters", "is_reported"),
    [(["file"], ["console"], True), (["file", "console"], ["console"], False), (["file"], ["otlp"], False), (["null"], ["console"], False)],
)
def test_a_root_logger_that_prints_nothing_is_reported(root, exporters, is_reported):
    """W052: the project's LOGGING takes the place of our handler."""
    with a_logging(logging_of(root=root)):
        found = look(project(logs={"exporters": exporters}))
    assert [id_ for id_, _, _ in found] == (["W052"] if is_reported else [])
    if found:
        assert "the root logger has only file, which the project's LOGGING put there" in found[0][1]
        assert "StreamHandler" in found[0][2]


@pytest.fixture
def _structlog_of_the_project():
    yield
    structlog.reset_defaults()


@pytest.mark.usefixtures("_structlog_of_the_project")
@pytest.mark.parametrize(
    ("processors", "factory", "is_reported"),
    [
        ([structlog.processors.JSONRenderer()], structlog.PrintLoggerFactory(), True),
        ([add_trace_context, structlog.processors.JSONRenderer()], structlog.PrintLoggerFactory(), False),
        ([structlog.stdlib.render_to_log_kwargs], structlog.stdlib.LoggerFactory(), False),
    ],
    ids=["prints itself", "prints itself with trace ids", "by the standard library, whose formatter is ours"],
)
def test_structlog_without_trace_ids_is_reported(processors, factory, is_reported):
    """W053."""
    structlog.configure(processors=processors, logger_factory=factory)
    with a_logging({}):
        found = look(project())
    assert [id_ for id_, _, _ in found] == (["W053"] if is_reported else [])
    if found:
        assert "structlog itself writes them" in found[0][1]
        assert "otelkit.logs.add_trace_context" in found[0][2]


@pytest.mark.usefixtures("_structlog_of_the_project")
@pytest.mark.parametrize("chain", [[], [add_trace_context]])
def test_structlogs_formatter_is_left_alone_and_reported_where_it_lacks_trace_ids(chain):
    """W053: a ProcessorFormatter renders events that our formatter could not read, so it stays."""
    structlog.configure(
        processors=[*chain, structlog.stdlib.ProcessorFormatter.wrap_for_formatter], logger_factory=structlog.stdlib.LoggerFactory()
    )
    formatter = {"()": structlog.stdlib.ProcessorFormatter, "processor": structlog.processors.JSONRenderer(), "foreign_pre_chain": chain}
    settings_ = logging_of(
        root=["console"],
        loggers=QUIET_DJANGO,
        formatters={"structlog": formatter},
        handlers={"console": {**CONSOLE, "formatter": "structlog"}},
    )
    with a_logging(settings_):
        found = look(project())
    assert [id_ for id_, _, _ in found] == ([] if chain else ["W053"])
    if found:
        assert "the ProcessorFormatter of console writes them" in found[0][1]


@pytest.mark.parametrize("says", [True, False])
def test_loggers_of_django_that_logging_disables_are_reported(says):
    """W055."""
    chosen = logging_of(root=["console"], loggers=QUIET_DJANGO if says else {})
    if not says:
        del chosen["disable_existing_loggers"]
    with a_logging(chosen):
        found = look(project())
    assert [id_ for id_, _, _ in found] == ([] if says else ["W055"])
    if found:
        assert "django.request" in found[0][1]
        assert '"disable_existing_loggers": False' in found[0][2]


PREPARE = """
import json, logging, logging.config, os
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
import django
django.setup()
from otelkit import startup
from otelkit.checks import findings, project_of_this_process
from otelkit.config import load
started = startup.start(load({"traces": {"exporters": []}, "metrics": {"exporters": []}, "service": {"name": "shop"}}, {}))
def say():
    print("FOUND", json.dumps([[check.id, finding.message] for check, finding in findings(project_of_this_process())]))
"""


def found_while_running(script: str) -> list[list[list[str]]]:
    done = subprocess.run([sys.executable, "-c", PREPARE + textwrap.dedent(script)], capture_output=True, text=True, timeout=60, check=True)
    return [json.loads(line.removeprefix("FOUND ")) for line in done.stdout.splitlines() if line.startswith("FOUND ")]


def test_who_configures_logging_anew_after_the_start_is_told():
    """W054, which can only be seen where the kit runs; before, and after a second django.setup(), there is nothing to say."""
    before, after_setup, after_dict_config, after_basic_config = found_while_running(
        """
        say()
        django.setup()
        say()
        logging.config.dictConfig({"version": 1, "disable_existing_loggers": False, "root": {"handlers": []}})
        say()
        logging.basicConfig(force=True)
        say()
        """
    )
    assert {id_ for id_, _ in before} == {id_ for id_, _ in after_setup} == {"W001"}
    assert "W054" in [id_ for id_, _ in after_dict_config]
    assert "the root logger has no handler now" in dict(after_dict_config)["W054"]
    assert "the root logger has StreamHandler now" in dict(after_basic_config)["W054"]


def test_the_kit_itself_gives_no_reason_to_complain():
    """Its own handlers, in a process in which it runs."""
    with a_logging({}):
        for exporters in (["console"], ["console", "otlp"], ["otlp"]):
            with capture({"logs": {"exporters": exporters}}):
                assert look(project(logs={"exporters": exporters})) == []
            assert not logging.getLogger().handlers
