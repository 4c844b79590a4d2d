"""The start page: services with their requests of the last minutes, and the newest traces."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from otelkit_stack.pages.html import Markup, document, element, table
from otelkit_stack.pages.quantities import duration_text, percent_text, rate_text
from otelkit_stack.records import ServiceRed, TraceSummary

WINDOW_S = 300
"""The page speaks about the requests of these seconds."""


def overview_page(services: Iterable[str], red: Iterable[ServiceRed], traces: Iterable[TraceSummary]) -> Markup:
    """The page; a service without requests in the window is listed too."""
    by_service = {line.service: line for line in red}
    services_table = table(
        ("service", "requests/s", "errors", "p50", "p95"),
        (_service_row(service, by_service.get(service)) for service in services),
    )
    traces_table = table(("started", "service", "name", "duration", "spans", "errors"), (_trace_row(trace) for trace in traces))
    return document(
        "Services and traces",
        element("h2", f"Services, last {WINDOW_S // 60} minutes"),
        services_table,
        element("h2", "Newest traces"),
        traces_table,
    )


def _service_row(service: str, red: ServiceRed | None) -> tuple[str, ...]:
    if red is None:
        return (service, "-", "-", "-", "-")
    return (service, rate_text(red.rate), percent_text(red.error_ratio), duration_text(red.p50_s), duration_text(red.p95_s))


def _trace_row(trace: TraceSummary) -> tuple[str, ...]:
    started = datetime.fromtimestamp(trace.start_ns / 1e9).astimezone()
    return (
        started.strftime("%H:%M:%S.%f")[:-3],
        trace.service,
        element("a", trace.name or "(no name)", href=f"/traces/{trace.trace_id}"),
        duration_text(trace.duration_s),
        str(trace.spans),
        element("b", str(trace.errors), class_="error") if trace.errors else "0",
    )
