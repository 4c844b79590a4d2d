"""Every library that the kit follows: its name in the settings, what is imported, what pip installs, and what is followed of it.

A library is followed as soon as the process imports ``module``, and not at all where it never does. To add one, write its fact here and
its file in ``otelkit/libraries/``; the settings, the status, the checks and the docs know it then.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LibraryFact:
    """One library. ``follows`` is what the status says of it."""

    name: str
    module: str
    """Its import begins the following."""
    package: str
    """As pip calls it."""
    follows: str
    least: str = ""
    """The oldest version that can be followed; empty where any can."""
    upstream: str = ""
    """OpenTelemetry's instrumentation of the same library, as its entry point calls it: active beside ours it does the work twice."""


_TASKS = "tasks traced and measured, from who sends them to their workers"
CELERY = LibraryFact("celery", "celery.app.base", "celery", _TASKS, least="5.4", upstream="celery")
DJANGO_TASKS = LibraryFact("django_tasks", "django.tasks", "Django", _TASKS)
DJANGO_TASKS_BACKPORT = LibraryFact("django_tasks_backport", "django_tasks", "django-tasks", _TASKS, least="0.12")
_MESSAGES = "messages traced and measured, sent ones and those that a consumer works on"
KOMBU = LibraryFact("kombu", "kombu.messaging", "kombu", _MESSAGES, least="5.4")
PIKA = LibraryFact("pika", "pika.adapters.blocking_connection", "pika", _MESSAGES, least="1.3", upstream="pika")
DJANGO_CACHE = LibraryFact("django_cache", "django.core.cache", "Django", "calls of every cache counted and measured")
DJANGO_TEMPLATES = LibraryFact(
    "django_templates", "django.template.backends.django", "Django", "templates measured, of Django and of Jinja2", upstream="jinja2"
)
REST_FRAMEWORK = LibraryFact(
    "rest_framework", "rest_framework.views", "djangorestframework", "serializers measured, throttling and validation errors counted"
)
NINJA = LibraryFact("ninja", "ninja.operation", "django-ninja", "operations named, throttling and validation errors counted")
HTTPX = LibraryFact("httpx", "httpx", "httpx", "calls traced and measured", upstream="httpx")
REQUESTS = LibraryFact("requests", "requests", "requests", "calls traced and measured", upstream="requests")
URLLIB3 = LibraryFact("urllib3", "urllib3", "urllib3", "calls traced and measured", least="2", upstream="urllib3")
AIOHTTP = LibraryFact("aiohttp", "aiohttp", "aiohttp", "calls of clients traced and measured", least="3.8", upstream="aiohttp-client")
REDIS = LibraryFact("redis", "redis", "redis", "commands traced and measured", least="5", upstream="redis")

CHANNELS = LibraryFact(
    "channels", "channels.consumer", "channels", "websockets traced and measured: handshakes, messages and how connections end", least="4"
)

LIBRARY_FACTS: tuple[LibraryFact, ...] = (
    DJANGO_CACHE,
    DJANGO_TEMPLATES,
    REST_FRAMEWORK,
    NINJA,
    CHANNELS,
    HTTPX,
    REQUESTS,
    URLLIB3,
    AIOHTTP,
    REDIS,
    CELERY,
    DJANGO_TASKS,
    DJANGO_TASKS_BACKPORT,
    KOMBU,
    PIKA,
)
"""In the order in which they are switched on."""


@dataclass(frozen=True, slots=True)
class UpstreamFact:
    """A library that the kit leaves to one of OpenTelemetry's instrumentations."""

    module: str
    """Whose import says that the project uses it."""
    package: str
    """What follows it, as pip calls that."""
    upstream: str
    """The module of it, below ``opentelemetry.instrumentation``."""


UPSTREAM_FACTS: tuple[UpstreamFact, ...] = (
    UpstreamFact("botocore", "opentelemetry-instrumentation-botocore", "botocore"),
    UpstreamFact("pymongo", "opentelemetry-instrumentation-pymongo", "pymongo"),
    UpstreamFact("sqlalchemy", "opentelemetry-instrumentation-sqlalchemy", "sqlalchemy"),
    UpstreamFact("asyncpg", "opentelemetry-instrumentation-asyncpg", "asyncpg"),
    UpstreamFact("aio_pika", "opentelemetry-instrumentation-aio-pika", "aio_pika"),
    UpstreamFact("aiokafka", "opentelemetry-instrumentation-aiokafka", "aiokafka"),
    UpstreamFact("kafka", "opentelemetry-instrumentation-kafka-python", "kafka"),
    UpstreamFact("confluent_kafka", "opentelemetry-instrumentation-confluent-kafka", "confluent_kafka"),
    UpstreamFact("pymemcache", "opentelemetry-instrumentation-pymemcache", "pymemcache"),
    UpstreamFact("cassandra", "opentelemetry-instrumentation-cassandra", "cassandra"),
)
"""What a Django project may use besides, and would miss in its traces."""

LIBRARY_NAMES: tuple[str, ...] = tuple(fact.name for fact in LIBRARY_FACTS)
"""What the settings may name."""
