"""Checks of a project's own logging: lines that do not arrive, arrive twice, or arrive without the trace they belong to (A21)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import structlog
from django.utils.log import RequireDebugFalse, RequireDebugTrue

from otelkit import startup
from otelkit.checks.check import Finding, Project, check
from otelkit.logs import JSONFormatter, OTLPHandler, TextFormatter, add_trace_context
from otelkit.logs.console import LastResortHandler, StdoutHandler
from otelkit.logs.tree import is_mute, is_of_observer, loggers, prints, reaches_root

_OURS = (StdoutHandler, OTLPHandler, LastResortHandler)
_OF_DJANGO = ("django.request", "django.security", "django.server")


def _own_handlers(logger: logging.Logger) -> list[logging.Handler]:
    """The project's handlers on a logger that show lines to somebody."""
    mine = (handler for handler in logger.handlers if not isinstance(handler, _OURS) and not is_mute(handler))
    return [handler for handler in mine if not type(handler).__module__.startswith("otelkit.testing.")]


def _names(handlers: list[logging.Handler]) -> str:
    return ", ".join(dict.fromkeys(handler.name or type(handler).__name__ for handler in handlers))


def _wants_console_alone(project: Project) -> bool:
    # Over OTLP lines go by a handler of our own, whatever the project's handlers do.
    return "console" in project.config.logs.exporters and "otlp" not in project.config.logs.exporters


@check("W050")
def logger_apart(project: Project) -> Iterator[Finding]:
    """A logger does not propagate, and none of its own handlers prints.
    Its lines stay out of standard output, without trace ids and redaction."""
    if not _wants_console_alone(project):
        return
    for logger in loggers():
        own = _own_handlers(logger)
        if not logger.propagate and own and not is_of_observer(logger) and not any(prints(handler) for handler in own):
            yield Finding(
                f'Lines of the logger "{logger.name}" do not reach standard output: it does not propagate, and has only {_names(own)}.',
                f'Give LOGGING["loggers"]["{logger.name}"] a console handler as well, or take "propagate": False out.',
            )


@check("W051")
def printed_twice(project: Project) -> Iterator[Finding]:
    """The root logger has two handlers that print, or another logger has one of its own besides: each line stands there twice."""
    roots = [handler for handler in _own_handlers(logging.getLogger()) if prints(handler) and _lets_through(handler, project)]
    if not roots or "console" not in project.config.logs.exporters:
        return
    if _share_a_level(roots):
        yield Finding(
            f"Each line is printed {len(roots)} times: the root logger has {_names(roots)}, without a filter between them.",
            'Leave one of them in LOGGING["root"]["handlers"]; did something call logging.basicConfig() as well?',
        )
    for logger in loggers():
        own = [handler for handler in _own_handlers(logger) if prints(handler) and _lets_through(handler, project)]
        if own and reaches_root(logger):
            yield Finding(
                f'Each line of the logger "{logger.name}" is printed twice: by its {_names(own)}, and by {_names(roots)} of the root.',
                f'Say "handlers": [] in LOGGING["loggers"]["{logger.name}"], or "propagate": False.',
            )


def _share_a_level(handlers: list[logging.Handler]) -> bool:
    """Whether handlers that filter nothing write the same lines."""
    levels = [handler.level for handler in handlers if not handler.filters]
    return len(levels) > len(set(levels))


def _lets_through(handler: logging.Handler, project: Project) -> bool:
    """Whether DEBUG lets lines pass that handler: Django's own console handlers are for DEBUG alone."""
    barred = RequireDebugFalse if project.settings.DEBUG else RequireDebugTrue
    return not any(isinstance(found, barred) for found in handler.filters)


@check("W052")
def root_prints_nothing(project: Project) -> Iterator[Finding]:
    """The project's handlers on the root logger print nothing, so no line reaches standard output, where lines are collected."""
    own = _own_handlers(logging.getLogger())
    if _wants_console_alone(project) and own and not any(prints(handler) for handler in own):
        yield Finding(
            f"Lines do not reach standard output: the root logger has only {_names(own)}, which the project's LOGGING put there.",
            'Add a logging.StreamHandler to LOGGING["root"]["handlers"], or take "root" out of LOGGING; '
            "OTEL_LOGS_EXPORTER=otlp sends lines past the handlers.",
        )


@check("W053")
def structlog_without_trace(project: Project) -> Iterator[Finding]:
    """structlog is configured by the project to write its lines itself, without the processor that adds the trace's id."""
    if not project.config.logs.exporters or not structlog.is_configured():
        return
    settings = structlog.get_config()
    printed = [handler for logger in (logging.getLogger(), *loggers()) for handler in logger.handlers if _is_structlogs(handler)]
    goes_to_standard_library = isinstance(settings["logger_factory"], structlog.stdlib.LoggerFactory)
    is_ours = settings["wrapper_class"].__module__.startswith("otelkit.")
    if is_ours or (goes_to_standard_library and not printed):
        return  # our formatter writes the line
    processors = [*settings["processors"], *(processor for handler in printed for processor in _processors(handler))]
    if add_trace_context not in processors:
        by = f"the ProcessorFormatter of {_names(printed)}" if printed else "structlog itself"
        yield Finding(
            f"Lines of structlog have no trace_id: {by} writes them, without the processor otelkit.logs.add_trace_context.",
            "Put otelkit.logs.add_trace_context into structlog.configure(processors=[...]), before the renderer; "
            "without structlog.configure() otelkit sets structlog up.",
        )


def _is_structlogs(handler: logging.Handler) -> bool:
    return isinstance(handler.formatter, structlog.stdlib.ProcessorFormatter)


def _processors(handler: logging.Handler) -> list[Any]:
    formatter: Any = handler.formatter
    return [*(formatter.foreign_pre_chain or ()), *formatter.processors]


@check("W054")
def handlers_were_taken_away(_: Project) -> Iterator[Finding]:
    """Something configured logging anew after the start and took the kit's handler or formatter away.
    Can be seen only in a process in which the kit runs, like runserver's."""
    running = startup.current()
    if running is None or "console" not in running.config.logs.exporters:
        return
    handlers = logging.getLogger().handlers
    ours = (JSONFormatter, TextFormatter)
    if not any(isinstance(handler.formatter, ours) for handler in handlers) and all(
        prints(handler) or is_mute(handler) for handler in handlers
    ):
        yield Finding(
            "Lines are no longer written by otelkit: something configured logging anew after the start "
            f"(the root logger has {_names(handlers) or 'no handler'} now).",
            "Configure logging in the setting LOGGING; or call logging.config.dictConfig() and basicConfig() before django.setup().",
        )


@check("W055")
def silenced_loggers_of_django(project: Project) -> Iterator[Finding]:
    """LOGGING disables loggers that Django had made: nobody sees unhandled exceptions then.
    It is what happens where LOGGING does not say "disable_existing_loggers": False."""
    silent = [name for name in _OF_DJANGO if name in logging.getLogger().manager.loggerDict and logging.getLogger(name).disabled]
    if silent and project.config.logs.exporters:
        yield Finding(
            f"The loggers {', '.join(silent)} are disabled, so errors of requests are not logged.",
            'Say "disable_existing_loggers": False in LOGGING; without it Python disables every logger that LOGGING does not name.',
        )


CHECKS = (logger_apart, printed_twice, root_prints_nothing, structlog_without_trace, handlers_were_taken_away, silenced_loggers_of_django)
