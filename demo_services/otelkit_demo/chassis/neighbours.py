"""Calls to another service: bounded in time, tried again within a budget, and not made at all while its breaker is open."""

from __future__ import annotations

from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import httpx

from otelkit.patterns import resilience
from otelkit_demo.chassis import flags
from otelkit_demo.chassis.http import client
from otelkit_demo.chassis.problems import MEDIA_TYPE
from otelkit_demo.chassis.tokens import TokenSource, TokenUnavailableError

CONNECT_SECONDS = 0.5
BUSY_SECONDS = 1.0
"""How long an earlier try is given to end before the next one, and the longest pause between two tries."""
RESET_SECONDS = 10.0
"""How long an open breaker stays open: short, so that a demo shows it closing again."""


NOT_ASKED = "is not asked"
"""What the text of a NotAskedError says."""


class NeighbourUnavailableError(Exception):
    """No usable answer: the neighbour failed, took too long, could not be reached, or is not asked at the moment."""


class NotReachedError(NeighbourUnavailableError):
    """The neighbour never heard of the call, so it has done nothing. Any other NeighbourUnavailableError leaves that open."""


class NotAskedError(NotReachedError):
    """The neighbour's breaker is open: it is left alone for a while."""


class _FailedError(Exception):
    """An answer of 5xx, as something to try again."""


class _BusyError(Exception):
    """An earlier try of this call, whose answer we did not wait for, is still under way: nothing is wrong with the neighbour."""


class Neighbour:
    """One service that is called. Made once per process and used by all its threads."""

    def __init__(self, name: str, address: str, *, caller: str, tokens: TokenSource | None = None, seconds: float = 2.0) -> None:
        self.name = name
        self._caller = caller
        self._address = address
        self._tokens = tokens
        self._seconds = seconds
        self._breakers: dict[str, resilience.CircuitBreaker] = {}
        self._making = Lock()
        self._http = client(address)
        host = urlsplit(address).netloc
        self._again = resilience.Retry(
            host,
            on=(httpx.TransportError, _FailedError, _BusyError),
            attempts=3,
            first_wait=0.05,
            longest_wait=BUSY_SECONDS,
            wait=lambda error: BUSY_SECONDS if isinstance(error, _BusyError) else None,
        )
        self._patiently = self._again(self._guarded)

    def call(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        again: bool = True,
    ) -> httpx.Response:
        """The answer below 500, and one of 502 or 503 that says why. ``again`` is for calls that may be made twice.

        ``operation`` is one of a few: each has a breaker of its own. Raises NeighbourUnavailableError, and DeadlineExceededError where the
        caller does not wait any more.
        """
        heard: list[bool] = []  # whether it may have been, by try
        try:
            return (self._patiently if again else self._guarded)(operation, heard, method, path, json, params, headers or {})
        except _BusyError as error:
            raise NeighbourUnavailableError(f"{self.name} is still busy with an earlier try") from error
        except _FailedError as error:
            raise _kind(heard)(f"{self.name} answered {error}") from error
        except httpx.TimeoutException as error:
            raise _kind(heard)(f"{self.name} did not answer within {self._seconds:g} s") from error
        except httpx.HTTPError as error:
            raise _kind(heard)(f"{self.name} cannot be reached: {error}") from error
        except resilience.CircuitOpenError as error:
            refusal = f"{self.name} {NOT_ASKED} for {error.retry_in:.0f} s, because it failed before"
            raise (NeighbourUnavailableError if any(heard) else NotAskedError)(refusal) from error
        except TokenUnavailableError as error:
            raise _kind(heard)(f"{self.name} cannot be asked: {error}") from error

    def worst_breaker(self) -> str:
        """``open`` or ``half_open`` where a breaker is; empty where all are closed."""
        states = {breaker.state for breaker in list(self._breakers.values())}
        return next((state for state in ("open", "half_open") if state in states), "")

    def _guarded(self, operation: str, *request: Any) -> httpx.Response:
        with self._breaker(operation).guard():
            return self._once(*request)

    def _once(
        self, heard: list[bool], method: str, path: str, json: Any, params: dict[str, str] | None, headers: dict[str, str]
    ) -> httpx.Response:
        sent = {"X-Client-Name": self._caller, **resilience.outgoing_headers(), **headers}
        if self._tokens is not None:
            sent["Authorization"] = f"Bearer {self._tokens.token()}"
        timeout = resilience.timeout(self._seconds)
        if flags.hits(f"{self.name}.unreachable"):
            raise httpx.ConnectError("[Errno 113] No route to host")
        limits = httpx.Timeout(timeout, connect=min(timeout, CONNECT_SECONDS))
        try:
            answer = self._http.request(method, path, json=json, params=params, headers=sent, timeout=limits)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            raise
        except httpx.HTTPError:
            heard.append(True)
            raise
        if answer.status_code == httpx.codes.UNAUTHORIZED and self._tokens is not None:
            self._tokens.forget()
            raise _FailedError("401 to our token")
        if answer.status_code == httpx.codes.CONFLICT and any(heard) and "Retry-After" in answer.headers:
            raise _BusyError
        if answer.is_server_error and not _says_why(answer):
            heard.append(True)
            raise _FailedError(f"{answer.status_code}: {detail(answer)}")
        return answer

    def _breaker(self, operation: str) -> resilience.CircuitBreaker:
        with self._making:
            if operation not in self._breakers:
                self._breakers[operation] = resilience.CircuitBreaker(
                    f"{self.name}.{operation}",
                    reset_after=RESET_SECONDS,
                    on=(httpx.HTTPError, _FailedError, TokenUnavailableError),
                )
            return self._breakers[operation]


def _kind(heard: list[bool]) -> type[NeighbourUnavailableError]:
    return NeighbourUnavailableError if any(heard) else NotReachedError


def _says_why(answer: httpx.Response) -> bool:
    """Whether the neighbour itself is well, and tells that somebody behind it is not: no reason to leave it alone."""
    deliberate = answer.status_code in (httpx.codes.BAD_GATEWAY, httpx.codes.SERVICE_UNAVAILABLE)
    return deliberate and answer.headers.get("content-type", "") == MEDIA_TYPE


def detail(answer: httpx.Response) -> str:
    """What a problem body says went wrong."""
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"the answer was {answer.status_code}"
