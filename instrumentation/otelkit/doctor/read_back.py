"""Asks the embedded stack for what the marked request left there, signal by signal. Another receiver cannot be asked this."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import monotonic, sleep, time
from typing import Any
from urllib.parse import urlencode

import urllib3
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from otelkit.catalog.labels import SERVICE_NAME
from otelkit.catalog.metrics import HTTP_SERVER_REQUEST_DURATION
from otelkit.catalog.naming import label_name, series_name
from otelkit.checks.endpoints import without_signal_path
from otelkit.doctor.examination import Examination
from otelkit.doctor.hop import Hop, Outcome
from otelkit.export.connection import Deadline, pool_manager
from otelkit.export.sender import Verdict

_CONNECTING = 3.0
"""Seconds for connecting; the answer as a whole has the examination's deadline."""
_AROUND_NS = 600_000_000_000
"""Of the marked line's time: two clocks may differ."""


@dataclass(frozen=True, slots=True)
class _Question:
    """Where the stack is asked, and what of its answer is what was sent: a text about it, empty where it is not there (yet)."""

    path: str
    found: Callable[[dict[str, Any]], str]
    missing: str


def read_back(examination: Examination, signal: str) -> Iterator[Hop]:
    """Whether what was sent of one signal is there."""
    name = f"read {signal}"
    if signal not in _delivered(examination):
        yield Hop(name, Outcome.SKIP, f"no {signal} were delivered")
        return
    question = _QUESTIONS[signal](examination)
    if question is None:
        yield Hop(name, Outcome.SKIP, f"nothing in the {signal} that were sent marks the request")
        return
    said = _asked_until_there(examination, signal, question)
    if said is None:
        yield Hop(name, Outcome.SKIP, "the receiver is not the embedded stack, so it cannot be asked what it kept")
    elif said:
        yield Hop(name, Outcome.PASS, said)
    else:
        yield Hop(name, Outcome.FAIL, question.missing, "The stack's log says why it did not keep it.")


# --- the questions ------------------------------------------------------------------------------------------------------


def _trace(examination: Examination) -> _Question | None:
    trace_id = examination.trace_id
    if not trace_id:
        return None

    def found(answer: dict[str, Any]) -> str:
        spans = len(answer.get("spans", ()))
        return f"trace {trace_id} with {spans} {'span' if spans == 1 else 'spans'}" if spans else ""

    return _Question(f"/api/otelkit/v1/traces/{trace_id}", found, f"trace {trace_id} has no span in the stack")


def _duration(examination: Examination) -> _Question | None:
    """The histogram of requests: its newest point, by the time that stands in what was sent."""
    sent = _newest_duration(_bodies(examination, "metrics"))
    if sent is None:
        return None
    service, time_ns = sent
    name, sent_s = series_name(HTTP_SERVER_REQUEST_DURATION), time_ns // 1_000_000 / 1000
    query = f"max(timestamp({name}{{{label_name(SERVICE_NAME.name)}={json.dumps(service)}}}))"

    def found(answer: dict[str, Any]) -> str:
        result = answer["data"]["result"]
        return f"{name} of {service} has the request's sample" if result and float(result[0]["value"][1]) >= sent_s else ""

    missing = f"{name} of {service} has no sample of the request in the stack"
    return _Question(f"/api/v1/query?{urlencode({'query': query, 'time': f'{sent_s:.3f}'})}", found, missing)


def _line(examination: Examination) -> _Question | None:
    mark, now_ns = examination.mark, int(time() * 1e9)
    asked = {"query": f'{{{label_name(SERVICE_NAME.name)}=~".+"}} |= "{mark}"', "start": now_ns - _AROUND_NS, "end": now_ns + _AROUND_NS}

    def found(answer: dict[str, Any]) -> str:
        lines = sum(len(stream["values"]) for stream in answer["data"]["result"])
        return f"the marked line {mark}" if lines else ""

    return _Question(f"/loki/api/v1/query_range?{urlencode(asked)}", found, f"the marked line {mark} is not in the stack")


_QUESTIONS: dict[str, Callable[[Examination], _Question | None]] = {"traces": _trace, "metrics": _duration, "logs": _line}


def _newest_duration(bodies: list[bytes]) -> tuple[str, int] | None:
    """The service and the time of the newest point of the request's duration."""
    found: tuple[str, int] | None = None
    for body in bodies:
        for of_resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
            attributes = {pair.key: pair.value.string_value for pair in of_resource.resource.attributes}
            metrics = (metric for scope in of_resource.scope_metrics for metric in scope.metrics)
            times = [p.time_unix_nano for m in metrics if m.name == HTTP_SERVER_REQUEST_DURATION.name for p in m.histogram.data_points]
            if times and (found is None or max(times) > found[1]):
                found = attributes.get(SERVICE_NAME.name, ""), max(times)
    return found


# --- asking -------------------------------------------------------------------------------------------------------------


def _asked_until_there(examination: Examination, signal: str, question: _Question) -> str | None:
    """What was found; empty after the patience has ended, None where this is not the stack."""
    address = without_signal_path(examination.config.export.address(signal)) + question.path
    receiver = examination.config.export.receiver(signal)
    deadline = Deadline()
    pool = pool_manager(receiver._replace(address=address), deadline)
    end = monotonic() + examination.timeout
    while True:  # what the stack has acknowledged is visible a moment later
        deadline.set(examination.timeout)
        said = _asked(pool, address, receiver.headers, question)
        if said != "" or monotonic() > end:
            return said
        sleep(0.1)


def _asked(pool: urllib3.PoolManager, address: str, headers: dict[str, str], question: _Question) -> str | None:
    """As above; a 404 in JSON is the stack's, which does not know the trace (yet), any other one is somebody else's."""
    try:
        answer = pool.request("GET", address, headers=headers, retries=False, timeout=_CONNECTING)
        found = json.loads(answer.data)
        if not isinstance(found, dict) or answer.status not in (200, 404):
            return None
        return question.found(found) if answer.status == 200 else ""
    except (urllib3.exceptions.HTTPError, OSError, ValueError, LookupError, TypeError):
        return None


def _delivered(examination: Examination) -> list[str]:
    heard = examination.sender.heard if examination.sender else {}
    return [signal for signal, one in heard.items() if one.answer is not None and one.answer.verdict is Verdict.DELIVERED]


def _bodies(examination: Examination, signal: str) -> list[bytes]:
    heard = examination.sender.heard if examination.sender else {}
    return heard[signal].bodies if signal in heard else []
