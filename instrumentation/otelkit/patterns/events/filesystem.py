"""kombu's broker in a folder, with messages that are there as a whole or not at all, and leave in the order in which they came.

kombu's own writes into a file that consumers can see already: a consumer that is quick, or a sender that is killed, leaves half a message,
which the consumer takes, cannot read, and loses; and two messages of one millisecond change places. It is for tests and for a laptop: a
consumer that is killed by SIGKILL loses what it had in hand.
"""

# mypy: disable-error-code="misc, no-untyped-call, override, import-untyped, unused-ignore"
# kombu has no types of its own

from __future__ import annotations

import os
import secrets
import time
from collections import deque
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import filesystem, virtual
from kombu.utils.json import dumps, loads

_HIDDEN = "."
"""What the name of a file begins with that is not a message yet, or not any more."""


def folders(path: str) -> dict[str, str]:
    """kombu's transport options for a broker in this folder, which is made where it is not there."""
    root = Path(path)
    for folder in (root / "messages", root / "control"):
        folder.mkdir(parents=True, exist_ok=True)
    return {"data_folder_in": f"{root}/messages", "data_folder_out": f"{root}/messages", "control_folder": f"{root}/control"}


class Channel(filesystem.Channel):
    """Puts and takes messages by renaming files, which is atomic. What fails says so as an OSError: a full disk is no wrong message."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._seen: dict[str, deque[str]] = {}

    def _put(self, queue: str, payload: Any, **_: Any) -> None:
        # Wall-clock nanoseconds, padded: the order must hold across processes, and across a restart of the machine.
        name = f"{time.time_ns():020d}-{secrets.token_hex(4)}.{queue}.msg"
        folder = Path(self.data_folder_out)
        unseen = folder / f"{_HIDDEN}{name}"
        unseen.write_bytes(dumps(payload).encode())
        unseen.rename(folder / name)

    def _get(self, queue: str) -> Any:
        folder = Path(self.data_folder_in)
        seen = self._seen.setdefault(queue, deque())
        if not seen:  # what comes later has a later name, so a list is good until its end
            seen.extend(sorted(name for name in os.listdir(folder) if name.partition(".")[2] == f"{queue}.msg"))  # noqa: PTH208
        while seen:
            name = seen.popleft()
            taken = folder / f"{_HIDDEN}{os.getpid()}-{name}"
            try:
                (folder / name).rename(taken)
            except FileNotFoundError:  # another consumer was first
                continue
            payload = taken.read_bytes()
            taken.unlink()
            return loads(payload.decode())
        raise Empty

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        bound = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with _locked(Path(self.control_folder) / f"{_HIDDEN}lock"):
            known = self.get_table(exchange)
            if bound not in known:
                file = self._exchange_file(exchange)
                unseen = file.with_name(f"{_HIDDEN}{file.name}")
                unseen.write_text(dumps([bound, *known]))
                unseen.rename(file)


class _locked:  # noqa: N801  (reads as a context manager)
    """A lock among processes, gone with whoever holds it."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __enter__(self) -> None:
        import fcntl

        self._held = self._file.open("w")
        fcntl.flock(self._held, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        self._held.close()


class Transport(filesystem.Transport):
    """kombu's, with our channel."""

    Channel = Channel

    def __init__(self, client: Any, **options: Any) -> None:
        super().__init__(client, **options)
        self.state = virtual.BrokerState()  # not one for all: two folders are two brokers
