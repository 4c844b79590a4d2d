"""Evaluates all groups when their time has come."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Self

from otelkit_stack.rules.errors import RuleFileError
from otelkit_stack.rules.files import load
from otelkit_stack.rules.group import GroupState, Surroundings
from otelkit_stack.rules.model import Group

_log = logging.getLogger(__name__)
_EVALUATIONS_BEFORE_RESTORING = 2
"""By then recording rules have written what alerts depend on."""


def read_all(files: Iterable[Path]) -> list[Group]:
    """The groups of all files. Raises RuleFileError with what is wrong in any of them."""
    groups: list[Group] = []
    problems: list[str] = []
    for file in files:
        try:
            groups += load(file)
        except RuleFileError as error:
            problems += error.problems
    if problems:
        raise RuleFileError(problems)
    return groups


def due(group: Group, interval_ms: int, now: int) -> int:
    """The group's next moment after now. Groups are spread over their interval, each always at the same place in it."""
    digest = blake2b(f"{group.file};{group.name}".encode(), digest_size=8).digest()
    offset = int.from_bytes(digest, "big") % interval_ms
    return (now - offset) // interval_ms * interval_ms + offset + interval_ms


class RuleManager:
    """Groups of rules, evaluated by one thread from :meth:`start` until :meth:`close`.

    A group that takes longer than its interval leaves out the moments that it missed.
    """

    def __init__(self, surroundings: Surroundings, *, clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self._surroundings = surroundings
        self._clock = clock
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._groups: dict[tuple[str, str], GroupState] = {}
        self._due: dict[tuple[str, str], int] = {}
        self._evaluations: dict[tuple[str, str], int] = {}
        self._thread: threading.Thread | None = None
        self._is_closed = False
        self._is_first_load = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    @property
    def groups(self) -> list[GroupState]:
        """All groups, in the order of their files."""
        with self._lock:
            return list(self._groups.values())

    def replace(self, groups: Iterable[Group]) -> None:
        """Evaluate these groups from now on. Those that were there before keep their alerts; series of the others end."""
        now = self._clock()
        with self._lock:
            former, self._groups = self._groups, {}
            for group in groups:
                key = (group.file, group.name)
                # Only what was there when the stack started can have been there before it.
                state = GroupState(group, self._surroundings, is_restored=not self._is_first_load)
                if key in former:
                    state.take_over(former.pop(key))
                else:
                    self._evaluations[key] = 0
                self._groups[key] = state
                self._due[key] = due(group, state.interval_ms, now)
            self._is_first_load = False
            for key, state in former.items():
                state.abandon(now)
                del self._due[key], self._evaluations[key]
        self._wake.set()

    def start(self) -> None:
        """Begin to evaluate."""
        self._thread = threading.Thread(target=self._run, name="rules", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop after the evaluation that is going on."""
        self._is_closed = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def evaluate_due(self) -> int | None:
        """Evaluate the groups whose time has come. Returns when the next one is due; None where there is no group."""
        now = self._clock()
        with self._lock:
            ready = [(key, self._groups[key], at) for key, at in self._due.items() if at <= now]
        for key, state, at in ready:
            if self._is_closed:
                break
            # The moment of the group, not the one at which its turn came.
            moment = at + (now - at) // state.interval_ms * state.interval_ms
            state.evaluate(moment)
            self._evaluated(key, state, moment)
        with self._lock:
            return min(self._due.values(), default=None)

    def _evaluated(self, key: tuple[str, str], state: GroupState, moment: int) -> None:
        with self._lock:
            if self._groups.get(key) is not state:
                return
            self._due[key] = moment + state.interval_ms
            self._evaluations[key] += 1
            if self._evaluations[key] == _EVALUATIONS_BEFORE_RESTORING:
                state.restore(moment)

    def _run(self) -> None:
        while not self._is_closed:
            self._wake.clear()
            try:
                next_at = self.evaluate_due()
            except Exception:  # noqa: BLE001  (rules that fail are caught one by one; this is the store, and it may come back)
                _log.exception("Rules could not be evaluated.")
                next_at = self._clock() + 1000
            self._wake.wait(None if next_at is None else max(0.0, (next_at - self._clock()) / 1000))
