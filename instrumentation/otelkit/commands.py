"""Management commands: a run of one is the root of a trace, with its duration, its exit code and the time of its last success.

Only the command that the process was started for; one that it calls by ``call_command()`` belongs to it. Not those that run until somebody
ends them: everything that a worker ever does would be one trace.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Collection
from contextvars import Token
from time import perf_counter, time
from typing import Any

from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, Status, StatusCode, Tracer

from otelkit.catalog.labels import COMMAND, ERROR_TYPE, PROCESS_EXIT_CODE
from otelkit.catalog.metrics import COMMAND_DURATION, COMMAND_LAST_SUCCESS_TIME
from otelkit.config import Commands
from otelkit.libraries.patching import Patches
from otelkit.metrics.aggregator import Aggregator
from otelkit.request.description import qualified

logger = logging.getLogger("otelkit.commands")

_ENDLESS = re.compile(r"(worker|server|shell|consumer|listener|daemon|scheduler|cluster)s?([_-]|$)")
_ENDLESS_NAMES = frozenset({"test", "celery", "process_tasks", "run_huey", "rundramatiq"})
"""Beside those of Django, of packages that are widely used."""
INTERRUPTED = "interrupted"
"""``error.type`` of a command that did not end by itself."""


def runs_for_ever(name: str) -> bool:
    """Whether a command of this name works until somebody ends it, like ``runserver``, ``db_worker`` or ``shell_plus``."""
    return name in _ENDLESS_NAMES or _ENDLESS.search(name) is not None


class CommandRecorder:
    """Follows the command that this process runs."""

    def __init__(self, tracer: Tracer, aggregator: Aggregator, settings: Commands) -> None:
        self._tracer = tracer
        self._ignored: Collection[str] = frozenset(settings.ignored)
        self._duration = aggregator.histogram(COMMAND_DURATION)
        self._last_success = aggregator.gauge(COMMAND_LAST_SUCCESS_TIME)
        self._patches = Patches()
        self._run: Run | None = None

    def switch_on(self) -> None:
        """Begins with the next command."""
        from django.core.management.base import BaseCommand

        self._patches.replace(BaseCommand, "run_from_argv", self._followed)

    def switch_off(self) -> None:
        """Puts Django's method back."""
        self._patches.restore()

    def interrupt(self) -> None:
        """Ends the span of a command that is running: the process ends before it."""
        if self._run is not None:
            self._run.end(None, None)

    def _followed(self, run_from_argv: Callable[[Any, list[str]], None]) -> Callable[[Any, list[str]], None]:
        def followed(command: Any, argv: list[str]) -> None:
            run = self._begin(str(argv[1]) if len(argv) > 1 else "")
            if run is None:
                run_from_argv(command, argv)
                return
            try:
                run_from_argv(command, argv)
            except SystemExit as leaving:  # how Django ends a command that raised CommandError
                run.end(_exit_code(leaving), leaving.__context__)
                raise
            except BaseException as error:
                run.end(1, error)
                raise
            else:
                run.end(0, None)
            finally:
                self._run = None

        return followed

    def _begin(self, name: str) -> Run | None:
        if not name or self._run is not None or name in self._ignored or runs_for_ever(name):
            return None
        self._run = Run(self, name, self._span(name))
        return self._run

    def _span(self, name: str) -> Span:
        try:
            return self._tracer.start_span(f"manage.py {name}", Context(), SpanKind.INTERNAL, {COMMAND.name: name})
        except Exception:  # samplers and processors may be the project's own
            logger.exception("otelkit could not trace manage.py %s; it runs without a span.", name)
            return INVALID_SPAN

    def record(self, name: str, elapsed: float, *, is_ok: bool, span: Span) -> None:
        """Measures a run that has ended."""
        self._duration.record(elapsed, (name, "ok" if is_ok else "error"), span.get_span_context())
        if is_ok:
            self._last_success.set(time(), (name,))


class Run:
    """One command under way."""

    def __init__(self, recorder: CommandRecorder, name: str, span: Span) -> None:
        self._recorder = recorder
        self._name = name
        self._span = span
        self._token: Token[Context] | None = context.attach(trace.set_span_in_context(span, Context()))
        self._started = perf_counter()
        self._has_ended = False

    def end(self, exit_code: int | None, error: BaseException | None) -> None:
        """Ends it, once; without an exit code it was interrupted, maybe by another thread. Does not raise."""
        if self._token is not None and exit_code is not None:
            context.detach(self._token)
            self._token = None
        if self._has_ended:
            return
        self._has_ended = True
        try:
            self._recorder.record(self._name, perf_counter() - self._started, is_ok=exit_code == 0, span=self._span)
            self._describe(exit_code, error)
            self._span.end()
        except Exception:  # span processors may be the project's own
            logger.exception("otelkit could not record manage.py %s; the command is not affected.", self._name)

    def _describe(self, exit_code: int | None, error: BaseException | None) -> None:
        span = self._span
        if exit_code is not None:
            span.set_attribute(PROCESS_EXIT_CODE.name, exit_code)
        if exit_code == 0:
            return
        if error is not None:
            span.record_exception(error)
        fallback = INTERRUPTED if exit_code is None else str(exit_code)
        span.set_attribute(ERROR_TYPE.name, qualified(error) if error is not None else fallback)
        span.set_status(Status(StatusCode.ERROR))


def _exit_code(leaving: SystemExit) -> int:
    """What the process ends with; a text is printed by Python, and means 1."""
    code = leaving.code
    if code is None:
        return 0
    return code if isinstance(code, int) else 1
