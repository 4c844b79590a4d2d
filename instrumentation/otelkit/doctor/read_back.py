"""Asks the embedded stack for everything that belongs to the marked request's trace. Another receiver cannot be asked this."""

from __future__ import annotations

import json
from collections.abc import Iterator
from time import monotonic, sleep
from typing import Any

import urllib3

from otelkit.checks.endpoints import without_signal_path
from otelkit.doctor.examination import Examination
from otelkit.doctor.hop import Hop, Outcome
from otelkit.export.connection import Deadline, pool_manager
from otelkit.export.sender import Verdict

_CONNECTING = 3.0
"""Seconds for connecting; the answer as a whole has the examination's deadline."""


def read_back(examination: Examination) -> Iterator[Hop]:
    """Whether the trace is there, and with what."""
    trace_id = examination.trace_id
    if not trace_id or "traces" not in _delivered(examination):
        yield Hop("read back", Outcome.SKIP, "no trace was delivered")
        return
    found = _what_the_stack_has(examination, f"{_root(examination, 'traces')}/api/otelkit/v1/traces/{trace_id}")
    if found is None:
        yield Hop("read back", Outcome.SKIP, "the receiver is not the embedded stack, so it cannot be asked what it kept")
        return
    spans, logs, exemplars = (len(found.get(part, [])) for part in ("spans", "logs", "exemplars"))
    if not spans:
        detail = f"trace {trace_id} has no span in the stack"
        yield Hop("read back", Outcome.FAIL, detail, "The stack's log says why it did not keep it.")
        return
    yield Hop("read back", Outcome.PASS, f"trace {trace_id}: {spans} spans, {logs} log lines, {exemplars} exemplars")


def _what_the_stack_has(examination: Examination, address: str) -> dict[str, Any] | None:
    """Asks until every signal that was delivered shows, or patience ends: what the stack acknowledged is visible a moment later."""
    parts = {"traces": "spans", "metrics": "exemplars", "logs": "logs"}
    root = _root(examination, "traces")
    expected = [parts[signal] for signal in _delivered(examination) if _root(examination, signal) == root]
    deadline = Deadline()
    pool = pool_manager(examination.config.export.receiver("traces")._replace(address=address), deadline)
    end = monotonic() + examination.timeout
    while True:
        deadline.set(examination.timeout)
        found = _asked_for(pool, address)
        if found is None or all(found.get(part) for part in expected) or monotonic() > end:
            return found
        sleep(0.1)


def _delivered(examination: Examination) -> list[str]:
    heard = examination.sender.heard if examination.sender else {}
    return [signal for signal, one in heard.items() if one.answer is not None and one.answer.verdict is Verdict.DELIVERED]


def _root(examination: Examination, signal: str) -> str:
    return without_signal_path(examination.config.export.address(signal))


def _asked_for(pool: urllib3.PoolManager, address: str) -> dict[str, Any] | None:
    """The stack's trace, empty where it does not know it (yet); None where this is not the stack, whose 404 is JSON, unlike others'."""
    try:
        answer = pool.request("GET", address, retries=False, timeout=_CONNECTING)
        found = json.loads(answer.data)
    except (urllib3.exceptions.HTTPError, OSError, ValueError):
        return None
    if not isinstance(found, dict) or answer.status not in (200, 404):
        return None
    return found if answer.status == 200 else {}
