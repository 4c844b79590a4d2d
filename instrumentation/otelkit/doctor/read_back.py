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


def read_back(examination: Examination) -> Iterator[Hop]:
    """Whether the trace is there, and with what."""
    heard = examination.sender.heard.get("traces") if examination.sender else None
    if heard is None or heard.answer is None or heard.answer.verdict is not Verdict.DELIVERED or not examination.trace_id:
        yield Hop("read back", Outcome.SKIP, "no trace was delivered")
        return
    export, trace_id = examination.config.export, examination.trace_id
    address = f"{without_signal_path(export.address('traces'))}/api/otelkit/v1/traces/{trace_id}"
    end = monotonic() + examination.timeout
    deadline = Deadline()
    deadline.set(examination.timeout)
    pool = pool_manager(address, deadline, export.certificate)
    while (found := _asked_for(pool, address, examination.timeout)) == {} and monotonic() < end:
        sleep(0.1)  # what the stack acknowledged is visible a moment later
    if found is None:
        yield Hop("read back", Outcome.SKIP, "the receiver is not the embedded stack, so it cannot be asked what it kept")
        return
    spans, logs, exemplars = (len(found.get(part, [])) for part in ("spans", "logs", "exemplars"))
    if not spans:
        detail = f"trace {trace_id} has no span in the stack"
        yield Hop("read back", Outcome.FAIL, detail, "The stack's log says why it did not keep it.")
        return
    yield Hop("read back", Outcome.PASS, f"trace {trace_id}: {spans} spans, {logs} log lines, {exemplars} exemplars")


def _asked_for(pool: urllib3.PoolManager, address: str, timeout: float) -> dict[str, Any] | None:
    """The stack's trace, empty where it does not know it (yet); None where this is not the stack, whose 404 is JSON, unlike others'."""
    try:
        answer = pool.request("GET", address, timeout=timeout, retries=False)
        found = json.loads(answer.data)
    except (urllib3.exceptions.HTTPError, OSError, ValueError):
        return None
    if not isinstance(found, dict) or answer.status not in (200, 404):
        return None
    return found if answer.status == 200 else {}
