"""The public keys of an issuer: fetched, kept, fetched again when they rotate, and used on while the issuer is away.

Ours, because the client of PyJWT 2.15 refuses every token once its copy is old and the issuer does not answer, lets all threads wait
for one that hangs, and reads an answer of any size.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Mapping
from threading import Lock
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from otelkit.patterns.auth.recording import keys_refreshed

logger = logging.getLogger("otelkit.auth")


class UnknownKeyError(Exception):
    """The issuer has no key of this id."""


class KeysUnavailableError(Exception):
    """The issuer's keys could not be fetched yet, or so long ago that they are not believed any more."""


class Keys:
    """The keys at ``url``, a JSON Web Key Set (RFC 7517). Safe for threads.

    A copy is used for ``fresh_for`` seconds, and for ``stale_for`` more where no newer one can be had; a key id that it lacks asks for a
    newer one. Nobody is asked more often than every ``least_between`` seconds, whatever ids are made up. An answer that is longer than
    ``most_bytes``, takes longer than ``timeout`` seconds or is a redirect is none. Needs PyJWT: ``pip install 'otelkit[jwt]'``.
    Raises ValueError for an address that is not http or https.
    """

    def __init__(
        self,
        url: str,
        *,
        fresh_for: float = 300.0,
        stale_for: float = 86_400.0,
        least_between: float = 10.0,
        timeout: float = 3.0,
        most_bytes: int = 262_144,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        if urlsplit(url).scheme not in ("http", "https"):
            raise ValueError(f"Keys are fetched by https (or http within one machine); {url!r} is another address.")
        self._url = url
        self._fresh_for = fresh_for
        self._stale_for = stale_for
        self._least_between = least_between
        self._timeout = timeout
        self._most_bytes = most_bytes
        self._clock = clock
        self._keys: Mapping[str, Any] = {}
        self._fetched_at: float | None = None
        self._asked_at: float | None = None
        self._has_warned = False
        self._renew()

    def _renew(self) -> None:
        self._pid = os.getpid()
        self._fetching = Lock()

    def is_at_hand(self, key_id: str) -> bool:
        """Whether :meth:`get` answers without asking the issuer."""
        return (key_id in self._keys and self._age() < self._fresh_for) or not self._may_ask()

    def get(self, key_id: str) -> Any:
        """The ``jwt.PyJWK`` of this id. Raises UnknownKeyError or KeysUnavailableError."""
        if not (key_id in self._keys and self._age() < self._fresh_for):
            self._refresh(key_id)
        keys, age = self._keys, self._age()
        if age >= self._fresh_for + self._stale_for:
            raise KeysUnavailableError("The issuer's keys could not be fetched.")
        if key_id not in keys:
            raise UnknownKeyError("The issuer has no such key.")
        return keys[key_id]

    def _age(self) -> float:
        return float("inf") if self._fetched_at is None else self._clock() - self._fetched_at

    def _may_ask(self) -> bool:
        return self._asked_at is None or self._clock() - self._asked_at >= self._least_between

    def _refresh(self, key_id: str) -> None:
        if self._pid != os.getpid():
            self._renew()  # another thread of the parent may have held the lock when it forked
        # Who has a copy that will do does not wait for who fetches a newer one.
        will_do = key_id in self._keys and self._age() < self._fresh_for + self._stale_for
        if not self._fetching.acquire(blocking=not will_do):
            return
        try:
            if self._may_ask() and not (key_id in self._keys and self._age() < self._fresh_for):
                self._asked_at = self._clock()
                self._keys, self._fetched_at = self._fetch(), self._clock()
                self._has_warned = False
                keys_refreshed(ok=True)
        except Exception as error:  # noqa: BLE001  (a network, a proxy, JSON and a library for keys: all may fail in their own ways)
            keys_refreshed(ok=False)
            if not self._has_warned:
                self._has_warned = True
                logger.warning("The keys of %s could not be fetched: %s.", urlsplit(self._url).hostname, type(error).__name__)
        finally:
            self._fetching.release()

    def _fetch(self) -> dict[str, Any]:
        from jwt import PyJWKSet

        from otelkit.patterns.auth.fetching import fetch  # what fetches is imported by who fetches

        found = PyJWKSet.from_dict(json.loads(fetch(self._url, self._timeout, self._most_bytes)))
        return {key.key_id: key for key in found.keys if key.key_id and key.public_key_use in ("sig", None)}
