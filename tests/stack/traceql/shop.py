"""Three traces that every test of TraceQL knows: a checkout that failed, an order that was read, and a task whose sender is missing.

a1 gateway SERVER POST /checkout, failed    0 .. 1000 ms
  a2 gateway CLIENT POST                    10 .. 900 ms
    a3 orders SERVER POST /orders, failed   20 .. 850 ms
      a4 orders CLIENT SELECT orders        30 .. 40 ms
      a5 orders CLIENT INSERT orders        50 .. 80 ms
b1 orders SERVER GET /orders/{pk}           at 10 s, for 5 ms
c1 worker CONSUMER process mail, ok         at 20 s, for 2 s; its parent never arrived
"""

from __future__ import annotations

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.stack.otlp_requests import key_values, span, traces

SECOND_NS = 1_000_000_000
START_NS = 1_700_000_040 * SECOND_NS
TRACES = {"a": "0a" * 16, "b": "bb" * 16, "c": "cc" * 16}


def span_id(label: str) -> str:
    """The id of the span with that label."""
    return f"{label[0]}{label[0]}{int(label[1:]):014x}"


def _span(label: str, name: str, start_s: float, duration_s: float, *, parent: str = "", **more: object) -> Span:
    return span(
        span_id(label),
        name,
        trace_id=TRACES[label[0]],
        parent=span_id(parent) if parent else "",
        start_ns=START_NS + round(start_s * SECOND_NS),
        duration_s=duration_s,
        **more,  # type: ignore[arg-type]
    )


def shop() -> list[ExportTraceServiceRequest]:
    """The traces, a request for each service."""
    client, consumer = Span.SPAN_KIND_CLIENT, Span.SPAN_KIND_CONSUMER
    a1 = _span("a1", "POST /checkout", 0, 1.0, error="it broke", http__route="/checkout", http__response__status_code=500)
    a1.events.add(time_unix_nano=START_NS + SECOND_NS // 2, name="exception", attributes=key_values({"exception.type": "KeyError"}))
    a1.events.add(time_unix_nano=START_NS + SECOND_NS, name="retry", attributes=key_values({"attempt": 2}))
    a1.links.add(trace_id=bytes.fromhex(TRACES["b"]), span_id=bytes.fromhex(span_id("b1")), attributes=key_values({"why": "cause"}))
    a2 = _span("a2", "POST", 0.01, 0.89, parent="a1", kind=client, server__port=8080)
    a3 = _span(
        "a3", "POST /orders", 0.02, 0.83, parent="a2", error="it broke too", http__route="/orders", http__response__status_code=500,
        tags=["red", "green"], ratio=0.5, paid=True, place="span",
    )  # fmt: skip
    a4 = _span("a4", "SELECT orders", 0.03, 0.01, parent="a3", kind=client, db__system__name="postgresql", rows=3)
    a5 = _span("a5", "INSERT orders", 0.05, 0.03, parent="a3", kind=client, db__system__name="postgresql", rows=4)
    b1 = _span("b1", "GET /orders/{pk}", 10, 0.005, http__route="/orders/{pk}", http__response__status_code=200, paid=False)
    c1 = _span("c1", "process mail", 20, 2.0, kind=consumer)
    c1.parent_span_id = b"\x0c" * 8
    c1.status.CopyFrom(Status(code=Status.STATUS_CODE_OK))
    c1.attributes.extend(key_values({"a b": "with a space", "nested": {"x": 1}, "text": "200"}))
    gateway, orders = {"service.name": "gateway", "place": "resource"}, {"service.name": "orders", "place": "resource", "replicas": 2}
    return [traces(a1, a2, resource=gateway), traces(a3, a4, a5, b1, resource=orders), traces(c1, resource={"service.name": "worker"})]
