"""How a test asks the shop's services: by the gateway as a customer does, or directly, with an operator's token."""

from __future__ import annotations

import hashlib
import hmac
import os
import signal
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx

from otelkit_stack.records import Trace
from tests.backends import wait_until
from tests.demo_services.running_demo import RunningDemo

MISSING = uuid.UUID(int=0)


@dataclass
class Shop:
    """The shop of one demo."""

    demo: RunningDemo
    _tokens: dict[str, str] = field(default_factory=dict)

    def ask(
        self, service: str, method: str, path: str, *, token: str = "", headers: dict[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        """One request to one service; the answer knows its trace as ``answer.headers["x-test-trace"]``."""
        shown = {"authorization": f"Bearer {token}"} if token else {}
        answer, trace_id = self.demo.request(service, method, path, headers={**(headers or {}), **shown}, **{"timeout": 20, **more})
        answer.headers["x-test-trace"] = trace_id
        return answer

    def operate(self, service: str, method: str, path: str, **more: Any) -> httpx.Response:
        """As :meth:`ask`, with an operator's token for that service."""
        if service not in self._tokens:
            answer = self.token("operator", service)
            assert answer.status_code == 200, answer.text
            self._tokens[service] = answer.json()["access_token"]
        return self.ask(service, method, path, token=self._tokens[service], **more)

    def token(self, client: str, audience: str, *, scope: str = "", secret: str | None = None) -> httpx.Response:
        """What the gateway answers to a client that wants a token."""
        shown = hmac.new(self._secret.encode(), client.encode(), hashlib.sha256).hexdigest() if secret is None else secret
        wish = {"grant_type": "client_credentials", "client_id": client, "client_secret": shown, "audience": audience, "scope": scope}
        return self.ask("gateway", "POST", "/oauth/token", data=wish)

    def check_out(self, sku: str = "tea-assam", quantity: int = 1, *, key: str = "", version: str = "v2") -> httpx.Response:
        """A customer buys something."""
        headers = {"idempotency-key": key or str(uuid.uuid4()), "x-client-name": "web"}
        return self.ask("gateway", "POST", f"/api/{version}/checkout", json={"sku": sku, "quantity": quantity}, headers=headers)

    def stock(self, sku: str) -> tuple[int, int]:
        """How many are available, and reserved."""
        found = self.ask("inventory", "GET", f"/stock/{sku}").json()
        return found["available"], found["reserved"]

    def trace(self, answer: httpx.Response, *, names: set[tuple[str, str]]) -> Trace:
        """The trace of a request, once the stack has a span of each of these services and names."""
        trace_id = answer.headers["x-test-trace"]

        def arrived() -> Trace | None:
            with self.demo.queries as queries:
                trace = queries.trace(trace_id)
            return trace if trace and names <= {(span.service, span.name) for span in trace.spans} else None

        return wait_until(arrived, 30, f"of the trace {trace_id} not all of {names} came")

    def recovered(self) -> None:
        """Waits until both workers of orders ask everybody again, so that the next test finds a shop that is well."""
        well = 0

        def is_well() -> bool:
            nonlocal well
            answer = self.check_out("cup-stoneware", 1)
            well = well + 1 if answer.status_code == 201 and not answer.json()["price_remembered"] else 0
            return well >= 6  # in a row

        wait_until(is_well, 60, "the shop does not recover")

    @contextmanager
    def hanging(self, service: str) -> Iterator[None]:
        """Every process of a service stands still, as in a long pause of its machine."""
        mine = f"DJANGO_SETTINGS_MODULE=otelkit_demo.{service}.settings".encode()
        stopped = [one.pid for one in self.demo.family() if mine in Path(f"/proc/{one.pid}/environ").read_bytes().split(b"\0")]
        assert stopped
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)

    def wait_for_series(self, name: str, **labels: str) -> None:
        """Waits until the stack has a series of that name with these labels."""

        def seen() -> object:
            with self.demo.queries as queries:
                return queries.series(name, **labels)

        wait_until(seen, 30, f"no series {name} with {labels}")

    def environment(self, service: str) -> dict[str, str]:
        """What the runner told a service's processes: for commands that are run beside them."""
        for process in self.demo.family():
            entries = Path(f"/proc/{process.pid}/environ").read_bytes().decode().split("\0")
            found = dict(entry.split("=", 1) for entry in entries if "=" in entry)
            if found.get("DJANGO_SETTINGS_MODULE") == f"otelkit_demo.{service}.settings":
                return found
        raise AssertionError(f"no process of the demo is one of {service}")

    @cached_property
    def _secret(self) -> str:
        # Nobody has to know it, so the runner tells nobody: it stands in the environment of the services alone.
        return self.environment("gateway")["SHOP_SECRET"]


def said(answer: httpx.Response, status: int) -> str:
    """What a problem body says, having the shape that it must have (RFC 9457)."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert body["title"]
    return str(body["detail"])
