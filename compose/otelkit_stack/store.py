"""The store's writing side: a bounded queue, and one thread that writes it to the database.

``submit`` returns once a batch is queued, so an answer to an exporter never waits for the disk. What was submitted is in
the database, and visible to every :class:`~otelkit_stack.queries.Queries`, at most ``commit_interval_s`` and one
transaction later; :meth:`Store.flush` waits for that.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from otelkit_stack.database import claim, database_file, explain, open_writer
from otelkit_stack.errors import StackError
from otelkit_stack.inserting import insert
from otelkit_stack.metrics.samples import Samples
from otelkit_stack.retention import prune, shrink
from otelkit_stack.rows import Batch

log = logging.getLogger(__name__)

DAY_S = 86_400.0
UPKEEP_INTERVAL_S = 60.0
"""Seconds between two checkpoints of the samples, each followed by the deletion of what is too old."""
MOST_LOGGED = 1_000_000
"""Samples after which a checkpoint comes earlier, because a stack that was killed reads them all when it starts."""
RETRY_INTERVAL_S = 1.0

# What the data itself is to blame for: trying it again cannot help.
_BAD_DATA = (sqlite3.DataError, sqlite3.IntegrityError, sqlite3.InterfaceError, sqlite3.ProgrammingError)


class QueueFullError(Exception):
    """The writer is behind by as many records as may wait; the sender should try again a little later."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Records since the store was opened; ``accepted == written + dropped + queued``."""

    accepted: int
    written: int
    dropped: int
    queued: int


class Store:
    """Writes batches to the database at a path, a folder standing for the ``otelkit.db`` in it.

    ``capacity`` is how many records may wait; ``retention_s`` is the age at which they are forgotten, None for never, and
    ``retention_bytes`` what all of them may take on disk before the oldest are.
    Raises StackError where the database cannot be opened, is newer than this otelkit, or has a stack already.
    """

    def __init__(
        self,
        path: Path,
        *,
        capacity: int = 25_000,
        commit_interval_s: float = 0.2,
        retention_s: float | None = 7 * DAY_S,
        retention_bytes: int | None = None,
    ) -> None:
        self.file = database_file(path)
        self._capacity = capacity
        self._commit_interval_s = commit_interval_s
        self._retention_s = retention_s
        self._retention_bytes = retention_bytes
        self._claim = claim(self.file)
        try:
            self._connection = open_writer(self.file)
            self.samples = _samples_of(self._connection, self.file)
        except StackError:
            self._claim.close()
            raise
        self._changed = threading.Condition()
        # All below is read and written under the condition.
        self._waiting: list[Batch] = []
        self._submitted = self._settled = self._awaited = 0  # batches: taken in, written or dropped, asked for by flush()
        self._accepted = self._written = self._dropped = 0  # records
        self._failure: str | None = None
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="otelkit-stack-writer", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    @property
    def retention_s(self) -> float | None:
        """The age in seconds at which records are forgotten; None for never."""
        return self._retention_s

    @property
    def failure(self) -> str | None:
        """Why nothing can be written now, in one sentence; None while all is well. The writer keeps trying."""
        with self._changed:
            return self._failure

    @property
    def counts(self) -> Counts:
        """What became of the records so far."""
        with self._changed:
            return Counts(self._accepted, self._written, self._dropped, self._queued)

    @property
    def _queued(self) -> int:
        return self._accepted - self._written - self._dropped

    def submit(self, batch: Batch) -> None:
        """Queue a batch. Raises QueueFullError where it does not fit, StackError after :meth:`close`."""
        size = len(batch)
        if not size:
            return
        with self._changed:
            if self._stopping:
                raise StackError("The store is closed.")
            # A batch above the capacity still passes when nothing waits: refused, it would be sent again for ever.
            if self._queued and self._queued + size > self._capacity:
                behind = f"The stack is behind: {self._queued} of at most {self._capacity} records wait to be written."
                raise QueueFullError(self._failure or behind)
            self._waiting.append(batch)
            self._submitted += 1
            self._accepted += size
            self._changed.notify_all()

    def flush(self, timeout_s: float = 10.0) -> None:
        """Wait until everything submitted before this call can be read. Raises StackError with the reason where it cannot."""
        with self._changed:
            target = self._awaited = self._submitted
            self._changed.notify_all()
            if not self._changed.wait_for(lambda: self._settled >= target, timeout_s):
                raise StackError(self._failure or f"{self._queued} records were not written within {timeout_s:g} s.")

    def close(self) -> None:
        """Write what waits, and let the database go. What the disk refuses now is dropped, counted and logged."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join()
        self._checkpoint()
        self._connection.close()
        self._claim.close()

    # --- the writer's thread ----------------------------------------------------------------------------------------
    def _run(self) -> None:
        next_upkeep = time.monotonic()
        while (batches := self._next_batches(next_upkeep)) is not None:
            self._write(batches)
            if time.monotonic() >= next_upkeep or self.samples.logged >= MOST_LOGGED:
                if self._checkpoint():
                    self._prune()
                next_upkeep = time.monotonic() + UPKEEP_INTERVAL_S

    def _next_batches(self, wake_at: float) -> list[Batch] | None:
        """What to write in one transaction: nothing when it is time for upkeep first, None when the store is closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._stopping, max(0.0, wake_at - time.monotonic()))
            if self._waiting:
                # Let a transaction gather more, unless somebody waits for it.
                self._changed.wait_for(lambda: self._stopping or self._awaited > self._settled, self._commit_interval_s)
            elif self._stopping:
                return None
            batches, self._waiting = self._waiting, []
            return batches

    def _write(self, batches: Sequence[Batch]) -> None:
        """Write the batches together; where one of them is bad, each by itself."""
        while batches:
            try:
                self._insert(batches)
            except sqlite3.Error as error:
                if not isinstance(error, _BAD_DATA):
                    if self._fail(error):
                        continue
                    self._settle(batches, written=False)
                    return
                self._write_apart(batches, error)
            except Exception as error:  # noqa: BLE001 - whatever a batch does to us, the next one must still be written
                self._write_apart(batches, error)
            else:
                self._settle(batches, written=True)
            return

    def _write_apart(self, batches: Sequence[Batch], error: Exception) -> None:
        if len(batches) == 1:
            log.error("A batch of %d records was dropped: %s: %s", len(batches[0]), type(error).__name__, error)
            self._settle(batches, written=False)
            return
        for batch in batches:
            self._write([batch])

    def _insert(self, batches: Sequence[Batch]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            insert(self._connection, batches, self.samples.index)
            self.samples.write(self._connection, batches)
            self._connection.execute("COMMIT")
        except BaseException:
            # A full disk rolls back by itself.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        self.samples.wrote(batches)

    def _settle(self, batches: Sequence[Batch], *, written: bool) -> None:
        records = sum(map(len, batches))
        with self._changed:
            self._settled += len(batches)
            if written:
                self._written += records
                self._failure = None
            else:
                self._dropped += records
            self._changed.notify_all()

    def _fail(self, error: sqlite3.Error) -> bool:
        """Note that the database cannot be written to, and wait a little; False where the store is closing, so that one gives up."""
        reason = explain(error, self.file)
        with self._changed:
            if reason != self._failure:
                log.error("%s Nothing is lost as long as the queue has room; the writer tries again every second.", reason)
            self._failure = reason
            if self._stopping:
                log.error("%d records were dropped at the end: %s", self._queued, reason)
                return False
            self._changed.wait_for(lambda: self._stopping, RETRY_INTERVAL_S)
            return True

    def _checkpoint(self) -> bool:
        """Moves samples from their log into chunks; False where that did not succeed, and they stay in the log."""
        try:
            self.samples.checkpoint(self._connection)
        except sqlite3.Error as error:
            log.warning("Samples stay in their log, where they are safe: %s", explain(error, self.file))
            return False
        return True

    def _prune(self) -> None:
        now_ns = time.time_ns()
        try:
            if self._retention_s is not None:
                self.samples.forget_series(prune(self._connection, now_ns - int(self._retention_s * 1e9)))
            if self._retention_bytes is not None:
                for emptied in shrink(self._connection, self._retention_bytes):
                    self.samples.forget_series(emptied)
            self.samples.forget_quiet(now_ms=now_ns // 1_000_000)
        except sqlite3.Error as error:
            log.warning("Old records could not be deleted: %s", explain(error, self.file))


def _samples_of(connection: sqlite3.Connection, file: Path) -> Samples:
    try:
        return Samples(connection)
    except sqlite3.Error as error:
        connection.close()
        raise StackError(explain(error, file)) from error
