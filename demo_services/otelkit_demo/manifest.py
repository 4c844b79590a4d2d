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
    """A call, or an event on its way: the caller's span is the parent of the callee's, in one trace."""

    caller: str
    client_span: str
    callee: str
    server_span: str
    client_kind: str = "CLIENT"
    server_kind: str = "SERVER"


KEEP_ALIVE_SECONDS = 30
"""How long a server keeps a connection that nobody uses. Longer than any client does (httpx: 5 s), or now and then a request is sent on a
connection that is just being closed, and nobody can tell whether it was heard."""

STACK_PORT = 4318
"""Port of OTLP over HTTP; the embedded stack shows its page there too."""


def _gunicorn(service: str, workers: int, threads: int = 4) -> tuple[str, ...]:
    return (
        "gunicorn",
        f"otelkit_demo.{service}.wsgi:application",
        *("--bind", "127.0.0.1:{port}", "--worker-class", "gthread", "--workers", str(workers), "--threads", str(threads)),
        # The control socket would be one file in the home directory, shared by every gunicorn of the machine.
        *("--log-level", "warning", "--graceful-timeout", "3", "--no-control-socket"),
        *("--keep-alive", str(KEEP_ALIVE_SECONDS)),
    )


def _uvicorn(service: str) -> tuple[str, ...]:
    return (
        "uvicorn",
        f"otelkit_demo.{service}.asgi:application",
        *("--host", "127.0.0.1", "--port", "{port}", "--log-level", "warning", "--no-access-log"),
        *("--lifespan", "off", "--timeout-graceful-shutdown", "3", "--timeout-keep-alive", str(KEEP_ALIVE_SECONDS)),
    )


_CELERY = ("celery", "--app", "otelkit_demo.notifications.celery_app")

_ISSUER = ("GATEWAY_URL", "gateway")
"""Who issues the tokens of services, and whose keys they are verified with."""

GATEWAY = Service(
    name="gateway",
    settings="otelkit_demo.gateway.settings",
    port=8000,
    # It mostly waits for others, who ask it for tokens and keys meanwhile: with as many customers as threads nobody would get on.
    serve=_gunicorn("gateway", workers=1, threads=16),
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
    serve=_gunicorn("orders", workers=2, threads=8),
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
    serve=_gunicorn("inventory", workers=1, threads=8),
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
        Companion("worker", (*_CELERY, "worker", "--pool", "solo", "--without-gossip", "--without-mingle")),
        Companion("beat", (*_CELERY, "beat", "--pidfile", "")),
    ),
)

SERVICES: tuple[Service, ...] = (GATEWAY, ORDERS, INVENTORY, CATALOG, PAYMENTS, NOTIFICATIONS)

_OF_EVERY_PROCESS = (
    m.PROCESS_CPU_TIME,
    m.PROCESS_MEMORY_USAGE,
    m.PROCESS_UPTIME,
    m.BUILD_INFO,
    m.TELEMETRY_CREATED,
    m.TELEMETRY_EXPORTED,
)
_EVERY_SERVICE = (
    *_OF_EVERY_PROCESS,
    m.HTTP_SERVER_REQUEST_DURATION,
    m.HTTP_SERVER_ACTIVE_REQUESTS,
    m.DJANGO_REQUEST_DB_QUERIES,
    m.DB_CLIENT_OPERATION_DURATION,
)

SIGNAL_MATRIX: tuple[Signals, ...] = (
    Signals(
        service="gateway",
        spans=(
            ("SERVER", "POST /api/{version}/checkout"),
            ("CLIENT", "POST"),
        ),
        metrics=(*_EVERY_SERVICE, m.HTTP_CLIENT_REQUEST_DURATION, m.CIRCUIT_BREAKER_STATES, m.API_REQUESTS),
        log_lines=("checkout begun",),
    ),
    Signals(
        service="orders",
        spans=(
            ("SERVER", "POST /api/v2/orders"),
            ("CLIENT", "INSERT orders_order"),
            ("CLIENT", "INSERT otelkit_saga"),
            ("CLIENT", "INSERT otelkit_outbox"),
            ("INTERNAL", "place_order reserve"),
            ("INTERNAL", "place_order authorise"),
            ("INTERNAL", "place_order commit"),
            ("INTERNAL", "place_order capture"),
            ("INTERNAL", "place_order place"),
            ("CLIENT", "POST"),
            ("CLIENT", "GET"),
            ("PRODUCER", "send orders"),
        ),
        metrics=(
            *_EVERY_SERVICE,
            m.HTTP_CLIENT_REQUEST_DURATION,
            m.AUTH_TOKENS_VALIDATED,
            m.IDEMPOTENCY_REQUESTS,
            m.SAGA_STARTED,
            m.SAGA_COMPLETED,
            m.SAGA_STEP_DURATION,
            m.OUTBOX_PENDING,
            m.OUTBOX_PUBLISHED,
        ),
        log_lines=("order received", "order placed"),
    ),
    Signals(
        service="inventory",
        spans=(
            ("SERVER", "POST /reservations"),
            ("SERVER", "POST /reservations/{pk}/commit"),
            ("CLIENT", "UPDATE inventory_stock"),
            ("CLIENT", "INSERT inventory_reservation"),
        ),
        metrics=(*_EVERY_SERVICE, m.AUTH_TOKENS_VALIDATED),
        log_lines=("stock reserved", "reservation committed"),
    ),
    Signals(
        service="catalog",
        spans=(("SERVER", "GET /api/products/{sku}"),),
        metrics=_EVERY_SERVICE,
        log_lines=("product read",),
    ),
    Signals(
        service="payments",
        spans=(
            ("SERVER", "POST /payments"),
            ("SERVER", "POST /payments/{pk}/capture"),
            ("CLIENT", "INSERT payments_payment"),
            ("CLIENT", "UPDATE payments_payment"),
        ),
        metrics=(*_EVERY_SERVICE, m.AUTH_TOKENS_VALIDATED, m.IDEMPOTENCY_REQUESTS),
        log_lines=("payment authorised", "payment captured"),
    ),
    Signals(
        service="notifications",
        spans=(("CONSUMER", "process orders"), ("CLIENT", "INSERT notifications_notification")),
        metrics=(*_OF_EVERY_PROCESS, m.DB_CLIENT_OPERATION_DURATION, m.INBOX_PROCESSED),
        log_lines=("customer notified", "notification sent"),
    ),
)
"""What one checkout shows, and what each service sends besides."""

EDGES: tuple[Edge, ...] = (
    Edge("gateway", "POST", "orders", "POST /api/v2/orders"),
    Edge("orders", "GET", "catalog", "GET /api/products/{sku}"),
    Edge("orders", "POST", "inventory", "POST /reservations"),
    Edge("orders", "POST", "payments", "POST /payments"),
    Edge("orders", "POST", "inventory", "POST /reservations/{pk}/commit"),
    Edge("orders", "POST", "payments", "POST /payments/{pk}/capture"),
    Edge("orders", "send orders", "notifications", "process orders", "PRODUCER", "CONSUMER"),
)
"""Who calls whom in one checkout, and who hears of it."""
