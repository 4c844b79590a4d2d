"""What the live view shows, on a terminal and in a pipe."""

from __future__ import annotations

import io
from collections.abc import Mapping

import pytest
from rich.console import Console

from otelkit_demo.alerts import Firing
from otelkit_demo.live import PlainView, TerminalView, drawn, live_view
from otelkit_demo.snapshot import Snapshot
from otelkit_demo.waterfall import milliseconds
from otelkit_stack.records import LogRecord, Scope, ServiceRed, Span, Trace

BURN = Firing("DjangoLatencyBudgetBurn", "inventory")
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
MS = 1_000_000


def span(span_id: str, parent: str | None, service: str, name: str, kind: str, time_ms: tuple[int, int], status: str = "UNSET") -> Span:
    start_ms, end_ms = time_ms
    start_ns, end_ns = start_ms * MS, end_ms * MS
    duration_s = (end_ms - start_ms) / 1000
    return Span(TRACE_ID, span_id, parent, service, name, kind, start_ns, end_ns, duration_s, status, "", {}, {}, Scope("", ""), [], [])


def line(span_id: str, service: str, body: str, at_ms: int, severity: str = "INFO", **said: object) -> LogRecord:
    attributes = {"level": severity.lower(), "trace_sampled": True, "db.query.count": 1, **said}
    return LogRecord(at_ms * MS, severity, 9, body, "", TRACE_ID, span_id, service, attributes, {})


SLOW = Trace(
    TRACE_ID,
    (
        span("a", None, "orders", "POST /orders", "SERVER", (0, 1200), "ERROR"),
        span("b", "a", "orders", "INSERT orders_order", "CLIENT", (100, 200)),
        span("c", "a", "orders", "POST", "CLIENT", (300, 1100)),
        span("d", "c", "inventory", "POST /reservations", "SERVER", (600, 1000)),
    ),
    (line("a", "orders", "order received", 250, order_id=7), line("d", "inventory", "out of stock", 900, "WARN", sku="[tea]")),
    (),
)
RED = (
    ServiceRed("inventory", requests=30, errors=3, rate=2.0, error_ratio=0.1, p50_s=0.004, p95_s=0.4),
    ServiceRed("orders", requests=60, errors=0, rate=4.0, error_ratio=0.0, p50_s=0.012, p95_s=1.2),
)


def snapshot(
    *,
    red: tuple[ServiceRed, ...] = RED,
    slowest: Trace | None = SLOW,
    faults: Mapping[str, float] | None = None,
    alerts: tuple[Firing, ...] = (),
) -> Snapshot:
    return Snapshot(elapsed_s=65.0, red=red, slowest=slowest, faults=faults or {}, alerts=alerts, page="http://127.0.0.1:4318")


def printed(*, width: int = 100, **options: object) -> list[str]:
    console = Console(file=io.StringIO(), width=width)
    console.print(drawn(snapshot(**options)))  # type: ignore[arg-type]
    assert isinstance(console.file, io.StringIO)
    return [text.rstrip() for text in console.file.getvalue().splitlines()]


def test_the_slowest_trace_is_a_tree_with_bars_durations_and_its_log_lines_where_they_were_written():
    lines = printed()
    start = lines.index("slowest of the last 15 s  http://127.0.0.1:4318/traces/" + TRACE_ID)
    tree = lines[start + 1 :]
    assert [text[:40].rstrip() for text in tree] == [
        "orders POST /orders",
        "  orders INSERT orders_order",
        "  · order received order_id=7",
        "  orders POST",
        "    inventory POST /reservations",
        "      · out of stock sku=[tea]",
    ]
    assert [text.split()[-2:] for text in tree] == [
        ["1.20", "s"],
        ["100", "ms"],
        ["250", "ms"],
        ["800", "ms"],
        ["400", "ms"],
        ["900", "ms"],
    ]
    bars = [text.find("━") for text in tree]
    assert bars[0] < bars[1] < bars[3] < bars[4], "bars start where their spans do"
    assert [text.count("━") for text in tree] == [24, 2, 0, 16, 8, 0], "and are as long, of 24"
    assert bars[4] + 8 <= bars[0] + 24


def test_services_stand_in_a_table_with_rate_errors_and_durations():
    lines = printed()
    assert "01:05  http://127.0.0.1:4318" in lines
    assert [text.split() for text in lines if text.startswith(("inventory ", "orders  "))] == [
        ["inventory", "2.0", "10.0%", "4.0", "ms", "400", "ms"],
        ["orders", "4.0", "0", "12", "ms", "1.20", "s"],
    ]


def test_an_active_fault_says_which_alert_to_expect():
    assert any(
        text.startswith("Fault inventory.fail hits 50%:") and "Expect DjangoErrorBudgetBurn of inventory within 5 min." in text
        for text in printed(faults={"inventory.fail": 0.5}, width=160)
    )


def test_an_alert_that_fires_is_in_the_picture():
    assert "Alert DjangoLatencyBudgetBurn inventory fires." in printed(alerts=(BURN,))


def test_before_the_first_request_the_picture_is_empty_and_whole():
    assert printed(red=(), slowest=None)[1] == "01:05  http://127.0.0.1:4318"
    assert printed(red=(), slowest=Trace(TRACE_ID, (), (), ()))


def test_in_a_pipe_there_is_one_plain_line_at_a_time():
    console = Console(file=io.StringIO(), width=20)
    with live_view(console) as view:
        assert isinstance(view, PlainView)
        view.show(snapshot(faults={"inventory.slow": 1.0}))
        view.show(snapshot(faults={"inventory.slow": 1.0}, red=(), slowest=None, alerts=(BURN,)))
        view.show(snapshot(red=(), slowest=None))
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue() == (
        "Fault inventory.slow hits 100%: Placing an order takes 0.9 s longer. "
        "Expect DjangoLatencyBudgetBurn of inventory within 5 min.\n"
        "01:05  inventory 2.0/s, 3 errors, p95 400 ms | orders 4.0/s, 0 errors, p95 1.20 s"
        f" | slowest POST /orders 1.20 s http://127.0.0.1:4318/traces/{TRACE_ID}\n"
        "Alert DjangoLatencyBudgetBurn inventory fires.\n"
        "01:05  no requests yet\n"
        "Fault inventory.slow is cleared.\n"
        "Alert DjangoLatencyBudgetBurn inventory is over.\n"
        "01:05  no requests yet\n"
    )


def test_on_a_terminal_the_picture_renews_itself():
    console = Console(file=io.StringIO(), width=100, force_terminal=True)
    with live_view(console) as view:
        assert isinstance(view, TerminalView)
        view.show(snapshot())
        view.show(snapshot())
    assert isinstance(console.file, io.StringIO)
    assert "\x1b[1A" in console.file.getvalue(), "the cursor goes up to draw over the earlier picture"


def test_pictures_are_due_at_their_pace():
    view = PlainView(Console(file=io.StringIO()))
    assert [second for second in range(13) if view.is_due(second)] == [5, 10]


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.0008, "0.8 ms"), (0.0349, "35 ms"), (1.254, "1.25 s"), (0.0, "0.0 ms"), (0.9999, "1000 ms")]
)
def test_durations_are_said_as_people_say_them(seconds: float, said: str):
    assert milliseconds(seconds) == said
