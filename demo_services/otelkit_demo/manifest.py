"""What the demo consists of and what it must show, as tables: the services, the signals of each, and who calls whom.

The runner starts what stands here, and the tests compare what stands here with what the stack received.
To add a service, give it a row in each table.

Every process of a service is told, by its environment: ``DJANGO_SETTINGS_MODULE`` and ``DATABASE_URL`` (its own), the address of each peer,
``OTELKIT_DEMO_FAULTS`` (the flag file), ``OTELKIT_EVENTS_BROKER`` (``filesystem:///folder/broker``, or amqp in compose), and two secrets
that all processes of one run share: ``DJANGO_SECRET_KEY``, and ``SHOP_SECRET``, from which services derive what they get tokens for.
"""

from __future__ import annotations

from dataclasses import dataclass

from otelkit.catalog import metrics as m
from otelkit.catalog.metrics import Metric


@dataclass(frozen=True, slots=True)
class Companion:
    """A further process of a service, with the service's own settings and database. ``run`` is what ``python -m`` takes."""

    name: str
    run: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Service:
    """One Django project. ``serve`` is its server as ``python -m`` takes it, with ``{port}`` where the port goes."""

    name: str
    settings: str
    port: int
    serve: tuple[str, ...]
    owner: str
    criticality: str
    peers: tuple[tuple[str, str], ...] = ()
    """Environment variable and name of each service it calls."""
    prepare: tuple[tuple[str, ...], ...] = ()
    """What runs to its end after the migration and before any service starts, each as ``python -m`` takes it."""
    companions: tuple[Companion, ...] = ()


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


def _gunicorn(service: str, workers: int) -> tuple[str, ...]:
    return (
        "gunicorn",
        f"otelkit_demo.{service}.wsgi:application",
        *("--bind", "127.0.0.1:{port}", "--worker-class", "gthread", "--workers", str(workers), "--threads", "4"),
        # The control socket would be one file in the home directory, shared by every gunicorn of the machine.
        *("--log-level", "warning", "--graceful-timeout", "3", "--no-control-socket"),
    )


def _uvicorn(service: str) -> tuple[str, ...]:
    return (
        "uvicorn",
        f"otelkit_demo.{service}.asgi:application",
        *("--host", "127.0.0.1", "--port", "{port}", "--log-level", "warning", "--no-access-log"),
        *("--lifespan", "off", "--timeout-graceful-shutdown", "3"),
    )


_CELERY = ("celery", "--app", "otelkit_demo.notifications.celery_app")

_ISSUER = ("GATEWAY_URL", "gateway")
"""Who issues the tokens of services, and whose keys they are verified with."""

GATEWAY = Service(
    name="gateway",
    settings="otelkit_demo.gateway.settings",
    port=8000,
    serve=_gunicorn("gateway", workers=1),
    owner="storefront",
    criticality="critical",
    peers=(
        ("CATALOG_URL", "catalog"),
        ("ORDERS_URL", "orders"),
        ("INVENTORY_URL", "inventory"),
        ("PAYMENTS_URL", "payments"),
        ("NOTIFICATIONS_URL", "notifications"),
    ),
)
ORDERS = Service(
    name="orders",
    settings="otelkit_demo.orders.settings",
    port=8001,
    serve=_gunicorn("orders", workers=2),
    owner="checkout",
    criticality="critical",
    peers=(_ISSUER, ("CATALOG_URL", "catalog"), ("INVENTORY_URL", "inventory"), ("PAYMENTS_URL", "payments")),
    companions=(
        Companion("relay", ("django", "outbox", "relay")),
        Companion("sweeper", ("django", "saga", "sweep")),
    ),
)
INVENTORY = Service(
    name="inventory",
    settings="otelkit_demo.inventory.settings",
    port=8002,
    serve=_uvicorn("inventory"),
    owner="warehouse",
    criticality="high",
    peers=(_ISSUER,),
)
CATALOG = Service(
    name="catalog",
    settings="otelkit_demo.catalog.settings",
    port=8003,
    serve=_gunicorn("catalog", workers=2),
    owner="storefront",
    criticality="high",
)
PAYMENTS = Service(
    name="payments",
    settings="otelkit_demo.payments.settings",
    port=8004,
    serve=_gunicorn("payments", workers=1),
    owner="billing",
    criticality="critical",
    peers=(_ISSUER,),
)
NOTIFICATIONS = Service(
    name="notifications",
    settings="otelkit_demo.notifications.settings",
    port=8005,
    serve=_uvicorn("notifications"),
    owner="engagement",
    criticality="low",
    peers=(_ISSUER,),
    # A queue that is there before anything is sent loses nothing.
    prepare=(("django", "inbox", "declare"),),
    companions=(
        Companion("consumer", ("django", "inbox", "consume")),
        Companion(
            "notifications-worker", (*_CELERY, "worker", "--pool", "solo", "--without-gossip", "--without-mingle", "--loglevel", "warning")
        ),
        Companion("beat", (*_CELERY, "beat", "--pidfile", "", "--loglevel", "warning")),
    ),
)

SERVICES: tuple[Service, ...] = (GATEWAY, ORDERS, INVENTORY, CATALOG, PAYMENTS, NOTIFICATIONS)

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
