"""What the demo consists of and what it must show, as tables: the services, the signals of each, and who calls whom.

The runner starts what stands here, and the tests compare what stands here with what the stack received.
To add a service, give it a row in each table.
"""

from __future__ import annotations

from dataclasses import dataclass

from otelkit.catalog import metrics as m
from otelkit.catalog.metrics import Metric


@dataclass(frozen=True, slots=True)
class Service:
    """One Django project. ``serve`` is its server as ``python -m`` takes it, with ``{port}`` where the port goes."""

    name: str
    settings: str
    port: int
    serve: tuple[str, ...]
    peers: tuple[tuple[str, str], ...] = ()
    """Environment variable and name of each service it calls."""


@dataclass(frozen=True, slots=True)
class Signals:
    """What one service must be seen to send. Spans are kind and name; log lines are messages."""

    service: str
    spans: tuple[tuple[str, str], ...]
    metrics: tuple[Metric, ...]
    log_lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Edge:
    """A call from one service to another: the caller's CLIENT span is the parent of the callee's SERVER span."""

    caller: str
    client_span: str
    callee: str
    server_span: str


STACK_PORT = 4318
"""Port of OTLP over HTTP; the embedded stack shows its page there too."""

ORDERS = Service(
    name="orders",
    settings="otelkit_demo.orders.settings",
    port=8001,
    serve=(
        "gunicorn",
        "otelkit_demo.orders.wsgi:application",
        *("--bind", "127.0.0.1:{port}", "--worker-class", "gthread", "--workers", "2", "--threads", "4"),
        # The control socket would be one file in the home directory, shared by every gunicorn of the machine.
        *("--log-level", "warning", "--graceful-timeout", "3", "--no-control-socket"),
    ),
    peers=(("INVENTORY_URL", "inventory"),),
)
INVENTORY = Service(
    name="inventory",
    settings="otelkit_demo.inventory.settings",
    port=8002,
    serve=(
        "uvicorn",
        "otelkit_demo.inventory.asgi:application",
        *("--host", "127.0.0.1", "--port", "{port}", "--log-level", "warning", "--no-access-log"),
        *("--lifespan", "off", "--timeout-graceful-shutdown", "3"),
    ),
)

SERVICES: tuple[Service, ...] = (ORDERS, INVENTORY)

_EVERY_SERVICE = (
    m.HTTP_SERVER_REQUEST_DURATION,
    m.HTTP_SERVER_ACTIVE_REQUESTS,
    m.DJANGO_REQUEST_DB_QUERIES,
    m.DB_CLIENT_OPERATION_DURATION,
    m.PROCESS_CPU_TIME,
    m.PROCESS_MEMORY_USAGE,
    m.PROCESS_UPTIME,
    m.BUILD_INFO,
    m.TELEMETRY_CREATED,
    m.TELEMETRY_EXPORTED,
)

SIGNAL_MATRIX: tuple[Signals, ...] = (
    Signals(
        service="orders",
        spans=(
            ("SERVER", "POST /orders"),
            ("SERVER", "GET /orders"),
            ("SERVER", "GET /orders/{pk}"),
            ("CLIENT", "INSERT orders_order"),
            ("CLIENT", "UPDATE orders_order"),
            ("CLIENT", "SELECT orders_order"),
            ("CLIENT", "POST"),
        ),
        metrics=(*_EVERY_SERVICE, m.HTTP_CLIENT_REQUEST_DURATION),
        log_lines=("order received", "order placed", "order read", "orders listed", "order not found"),
    ),
    Signals(
        service="inventory",
        spans=(
            ("SERVER", "POST /reservations"),
            ("CLIENT", "UPDATE inventory_stock"),
            ("CLIENT", "SELECT inventory_stock"),
            ("CLIENT", "INSERT inventory_reservation"),
        ),
        metrics=_EVERY_SERVICE,
        log_lines=("stock reserved",),
    ),
)

EDGES: tuple[Edge, ...] = (Edge(caller="orders", client_span="POST", callee="inventory", server_span="POST /reservations"),)
