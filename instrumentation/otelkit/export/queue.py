"""What waits to be sent: bounded by number and by memory, and every item that enters, leaves or is given up is in the books."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from otelkit.export.accounting import Account, patiently


class Queue:
    """A bounded queue that gives up the oldest items, and counts them, when it is full.

    ``size_of`` gives the bytes of memory that an item holds. It runs in the application's threads, so it must be quick and must not raise.
    """

    def __init__(self, most: int, most_bytes: int, size_of: Callable[[Any], int], account: Account) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._size_of = size_of
        self._account = account
        self._items: deque[Any] = deque()
        self._sizes: deque[int] = deque()
        self.bytes = 0
        """Memory that the waiting items hold."""
        account.waiting = self.__len__

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: Any) -> int:
        """Adds one new item, and gives the number that wait now."""
        size = self._size_of(item)
        account, items = self._account, self._items
        with account.lock:
            account.created += 1
            items.append(item)
            self._sizes.append(size)
            self.bytes += size
            if len(items) > self._most or self.bytes > self._most_bytes:
                self._give_up_oldest()
            return len(items)

    def take(self, most: int) -> list[Any]:
        """The oldest items, at most ``most``; they are in the caller's hands until they are settled or put back."""
        with patiently(self._account.lock):
            count = min(most, len(self._items))
            self._account.in_hand += count
            self.bytes -= sum(self._sizes.popleft() for _ in range(count))
            return [self._items.popleft() for _ in range(count)]

    def put_back(self, items: list[Any]) -> None:
        """Items that could not be sent, in front again; what no longer fits is given up, the oldest first."""
        sizes = [self._size_of(item) for item in items]
        with patiently(self._account.lock):
            self._account.in_hand -= len(items)
            self._items.extendleft(reversed(items))
            self._sizes.extendleft(reversed(sizes))
            self.bytes += sum(sizes)
            self._give_up_oldest()

    def _give_up_oldest(self) -> None:
        while self._items and (len(self._items) > self._most or self.bytes > self._most_bytes):
            self._items.popleft()
            self.bytes -= self._sizes.popleft()
            self._account.dropped["queue_full"] += 1
