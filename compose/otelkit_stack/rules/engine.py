"""The rules of a running stack: files in, alerts and recorded series out."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from types import TracebackType
from typing import Self

from otelkit_stack.database import explain, open_reader
from otelkit_stack.errors import StackError
from otelkit_stack.logql.reading import Lines
from otelkit_stack.promql.engine import Engine
from otelkit_stack.rows import AlertChangeRow, Batch, json_text, stored_float
from otelkit_stack.rules.alert import Transition
from otelkit_stack.rules.asking import Ask, Vector, promql
from otelkit_stack.rules.errors import RuleError
from otelkit_stack.rules.group import GroupState, Surroundings
from otelkit_stack.rules.languages import logql
from otelkit_stack.rules.manager import RuleManager, read_all
from otelkit_stack.rules.notifier import Notifier
from otelkit_stack.rules.shipped import rule_files
from otelkit_stack.rules.stored_samples import StoredSamples
from otelkit_stack.store import QueueFullError, Store

log = logging.getLogger(__name__)


class RuleEngine:
    """Evaluates the rules of some files and folders over a store while the context is open.

    Alerts go to every Alertmanager named by its address, their changes into the table ``alert_history``. ``external_url`` is where links in
    alerts lead. Raises RuleFileError for files that cannot be loaded, and StackError on entering where the store cannot be read.
    """

    def __init__(
        self,
        store: Store,
        paths: Sequence[Path],
        *,
        alertmanagers: Sequence[str] = (),
        external_url: str = "",
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._store = store
        self._paths = paths
        self._alertmanagers = alertmanagers
        self._external_url = external_url
        self._clock = clock
        self._loaded = read_all(rule_files(paths))

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            connection = undo.enter_context(closing(open_reader(self._store.file)))
            notifier = undo.enter_context(Notifier(self._alertmanagers, external_url=self._external_url))
            storage = StoredSamples(self._store, connection)
            surroundings = Surroundings(
                self._guarded(promql(Engine(storage))),
                storage,
                self._guarded(logql(Lines(connection))),
                notify=notifier.send,
                record=self._record,
                external_url=self._external_url,
            )
            self.manager = undo.enter_context(RuleManager(surroundings, clock=self._clock))
            self.manager.replace(self._loaded)
            self._undo = undo.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._undo.close()

    def start(self) -> None:
        """Begin to evaluate, each group when its time comes."""
        self.manager.start()

    @property
    def groups(self) -> list[GroupState]:
        """All groups, by file and name."""
        return sorted(self.manager.groups, key=lambda group: (group.group.file, group.group.name))

    def reload(self) -> None:
        """Read the files again. Raises RuleFileError where that fails, and goes on with the rules it has."""
        self.manager.replace(read_all(rule_files(self._paths)))

    def _guarded(self, ask: Ask) -> Ask:
        """A rule that cannot be answered because of the disk fails like any other, and says why in its health."""

        def asked(expression: str, time_ms: int) -> Vector:
            try:
                return ask(expression, time_ms)
            except StackError as error:
                raise RuleError(str(error)) from error
            except sqlite3.Error as error:
                raise RuleError(explain(error, self._store.file)) from error

        return asked

    def _record(self, change: Transition) -> None:
        labels, value = json_text(dict(change.labels)), stored_float(change.value)
        row = AlertChangeRow(change.time_ms, change.rule, labels, change.before.value, change.after.value, value)
        try:
            self._store.submit(Batch(alert_changes=[row]))
        except QueueFullError as error:
            log.warning("A change of the alert %s is missing in its history: %s", change.rule, error)
