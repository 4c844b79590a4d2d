"""What is measured beside what: the same work, observed by different kits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import Any

from tests.benchmarks.beyond import CACHES
from tests.benchmarks.observers import (
    Flush,
    follow_celery,
    follow_redis,
    follow_requests,
    observe_by_bare_structlog,
    observe_by_otelkit,
    observe_by_otelkit_not,
    observe_by_sentry,
    observe_by_structlog,
    observe_by_upstream,
    observe_by_upstream_and_structlog,
    observe_by_upstreams_libraries,
    observe_not,
)
from tests.benchmarks.project import SETTINGS
from tests.benchmarks.works import (
    CACHE_GET,
    CALL,
    LINE,
    N_PLUS_ONE,
    OUR_ENCODER,
    REQUEST,
    STANDARD_LINE,
    TASK,
    TEN_QUERIES,
    THEIR_ENCODER,
    Work,
)


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """One way to observe one work."""

    key: str
    title: str
    observe: Callable[[], Flush] = observe_not
    """Runs after ``django.setup()`` and before the application is made."""
    work: Work = REQUEST
    apps: tuple[str, ...] = ()
    """Added to INSTALLED_APPS, in front."""
    settings: dict[str, Any] = field(default_factory=dict)
    outer: tuple[str, ...] = ()
    """Middleware in front of the project's."""
    inner: tuple[str, ...] = ()
    """Middleware behind the project's."""
    sends: bool = False
    """Whether something leaves the process while it is measured."""
    needs: tuple[str, ...] = ()
    """Modules without which it cannot be measured."""

    def project(self) -> dict[str, Any]:
        """The settings of the project with this observer."""
        return {
            **SETTINGS,
            **self.settings,
            "INSTALLED_APPS": [*self.apps, *SETTINGS["INSTALLED_APPS"]],
            "MIDDLEWARE": [*self.outer, *SETTINGS["MIDDLEWARE"], *self.inner],
        }

    def missing(self) -> list[str]:
        """Modules that it needs and that are not installed."""
        return [name for name in self.needs if not _is_installed(name)]


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # a parent package is missing
        return False


def _otelkit(key: str, title: str, work: Work = REQUEST, **settings: Any) -> Subject:
    return Subject(key, title, observe_by_otelkit, work, apps=("otelkit",), settings={"OTELKIT": settings}, sends=work.sends)


_NO_LINE = {"access": False}
_UPSTREAM = ("opentelemetry.instrumentation.django", "opentelemetry.exporter.otlp.proto.http")
_DBAPI = (*_UPSTREAM, "opentelemetry.instrumentation.dbapi")
_STRUCTLOG = {"apps": ("django_structlog",), "inner": ("django_structlog.middlewares.RequestMiddleware",), "needs": ("django_structlog",)}
_THEIRS = "opentelemetry-instrumentation-django"

BARE = Subject("bare", "Django alone")
OFF = Subject("otelkit-off", "otelkit, switched off", observe_by_otelkit_not, apps=("otelkit",), settings={"OTELKIT": {"enabled": False}})
TRACED = _otelkit("otelkit", "otelkit", logs=_NO_LINE)
SAMPLED = _otelkit("otelkit-10", "otelkit", logs=_NO_LINE, traces={"sample_ratio": 0.1})
LOGGED = _otelkit("otelkit-line", "otelkit (the default)")
UPSTREAM = Subject("upstream", _THEIRS, observe_by_upstream, sends=True, needs=_UPSTREAM)
UPSTREAM_SAMPLED = Subject("upstream-10", _THEIRS, lambda: observe_by_upstream(0.1), sends=True, needs=_UPSTREAM)
UPSTREAM_LOGGED = Subject(
    "upstream-structlog",
    "opentelemetry-instrumentation-django, django-structlog",
    observe_by_upstream_and_structlog,
    sends=True,
    **{**_STRUCTLOG, "needs": (*_UPSTREAM, "django_structlog")},  # type: ignore[arg-type]
)
OTHERS = (
    _otelkit("otelkit-pull", "otelkit, preset pull: metrics are scraped", preset="pull"),
    _otelkit("otelkit-all", "otelkit, log lines over OTLP too", logs={"exporters": ["console", "otlp"]}),
    Subject(
        "django-prometheus",
        "django-prometheus: metrics",
        apps=("django_prometheus",),
        outer=("django_prometheus.middleware.PrometheusBeforeMiddleware",),
        inner=("django_prometheus.middleware.PrometheusAfterMiddleware",),
        needs=("django_prometheus",),
    ),
    Subject("structlog", "django-structlog: two JSON lines", observe_by_structlog, **_STRUCTLOG),  # type: ignore[arg-type]
    Subject(
        "elastic-apm",
        "elastic-apm: traces, nothing sent",
        apps=("elasticapm.contrib.django",),
        outer=("elasticapm.contrib.django.middleware.TracingMiddleware",),
        settings={"ELASTIC_APM": {"SERVICE_NAME": "shop", "DISABLE_SEND": True, "CLOUD_PROVIDER": "none", "CENTRAL_CONFIG": False}},
        needs=("elasticapm",),
    ),
    Subject("sentry", "sentry-sdk: errors, traces, nothing sent", observe_by_sentry, needs=("sentry_sdk",)),
)

BARE_QUERIES = Subject("bare-queries", "Django alone", work=TEN_QUERIES)
TRACED_QUERIES = _otelkit("otelkit-queries", "otelkit", TEN_QUERIES, logs=_NO_LINE)
UPSTREAM_QUERIES = Subject(
    "upstream-queries",
    "opentelemetry-instrumentation-django, -dbapi",
    lambda: observe_by_upstream(with_queries=True),
    TEN_QUERIES,
    sends=True,
    needs=_DBAPI,
)
BARE_REPEATS = Subject("bare-repeats", "Django alone", work=N_PLUS_ONE)
TRACED_REPEATS = _otelkit("otelkit-repeats", "otelkit, which names the line that repeats them", N_PLUS_ONE, logs=_NO_LINE)
UPSTREAM_REPEATS = Subject(
    "upstream-repeats",
    "opentelemetry-instrumentation-django, -dbapi",
    lambda: observe_by_upstream(with_queries=True),
    N_PLUS_ONE,
    sends=True,
    needs=_DBAPI,
)


def _library(work: Work, title: str, package: str, follow: Callable[[Any, Any], None], *needs: str) -> tuple[Subject, Subject, Subject]:
    """A library's work by itself, followed by the kit, and by OpenTelemetry's instrumentation."""
    settings: dict[str, Any] = {"CACHES": CACHES} if work is CACHE_GET else {}
    needed = (*needs, package.replace("-", "."))
    # Celery says each task at INFO: a worker writes that line whoever observes it; this process, which is none, would for the kit alone.
    ours = _otelkit(f"otelkit-{work.key}", "otelkit", work, logs={"level": "WARNING"})
    return (
        Subject(f"bare-{work.key}", title, work=work, settings=settings, needs=needs),
        replace(ours, settings={**settings, **ours.settings}, needs=needs),
        Subject(
            f"upstream-{work.key}",
            package,
            lambda: observe_by_upstreams_libraries(follow),
            work,
            settings=settings,
            sends=True,
            needs=(*needed, "opentelemetry.exporter.otlp.proto.http"),
        ),
    )


CALLS = _library(CALL, "requests alone", "opentelemetry-instrumentation-requests", follow_requests, "requests")
CACHE_GETS = _library(CACHE_GET, "Django's cache alone", "opentelemetry-instrumentation-redis", follow_redis, "redis")
TASKS = _library(TASK, "Celery alone", "opentelemetry-instrumentation-celery", follow_celery, "celery")

STRUCTLOG_LINE = Subject("line-structlog", "structlog through logging, JSONRenderer", observe_by_structlog, LINE)
BARE_STRUCTLOG_LINE = Subject("line-bare-structlog", "structlog by itself, JSONRenderer", observe_by_bare_structlog, LINE)
OUR_LINE = _otelkit("line-otelkit", "otelkit, by structlog; redacted, with trace ids", LINE)
OUR_STANDARD_LINE = _otelkit("line-standard", "otelkit, by logging; redacted, with trace ids", STANDARD_LINE)

KIT_ENCODER = Subject("encode-otelkit", "otelkit's encoder", work=OUR_ENCODER)
SDK_ENCODER = Subject(
    "encode-sdk", "the SDK's encoder", work=THEIR_ENCODER, needs=("opentelemetry.exporter.otlp.proto.common.trace_encoder",)
)


@dataclass(frozen=True, slots=True)
class Section:
    """Subjects that are measured beside one another."""

    part: str
    """What it is called on the command line; sections may share it."""
    title: str
    subjects: Sequence[Subject]
    reference: Subject
    """What the others are a share of."""
    base: Subject | None = None
    """What is observed, by itself: costs are what a subject adds to it. None where each stands for itself."""

    def measured(self) -> list[Subject]:
        """All that it needs."""
        needed = (*self.subjects, self.reference, *([self.base] if self.base else []))
        return list(dict.fromkeys(needed))


SECTIONS = (
    Section("requests", "A request: traces and metrics", (BARE, OFF, TRACED, UPSTREAM), UPSTREAM, BARE),
    Section("requests", "A request: a tenth of the traces, metrics", (SAMPLED, UPSTREAM_SAMPLED), UPSTREAM_SAMPLED, BARE),
    Section("requests", "A request: traces, metrics, a JSON line about it", (LOGGED, UPSTREAM_LOGGED), UPSTREAM_LOGGED, BARE),
    Section("requests", "A request: other ways, beside OpenTelemetry's traces and metrics", OTHERS, UPSTREAM, BARE),
    Section(
        "queries",
        "A request with ten queries: traces and metrics",
        (BARE_QUERIES, TRACED_QUERIES, UPSTREAM_QUERIES),
        UPSTREAM_QUERIES,
        BARE_QUERIES,
    ),
    Section("queries", "A request with 1 + 10 queries", (BARE_REPEATS, TRACED_REPEATS, UPSTREAM_REPEATS), UPSTREAM_REPEATS, BARE_REPEATS),
    Section("libraries", "A call to another service, by requests", CALLS, CALLS[-1], CALLS[0]),
    Section("libraries", "A value from Django's cache in Redis", CACHE_GETS, CACHE_GETS[-1], CACHE_GETS[0]),
    Section("libraries", "A task of Celery, sent and run", TASKS, TASKS[-1], TASKS[0]),
    Section("lines", "A log line with five keys", (OUR_LINE, OUR_STANDARD_LINE, BARE_STRUCTLOG_LINE, STRUCTLOG_LINE), STRUCTLOG_LINE),
    Section("encoder", "A span of ten attributes, encoded for OTLP", (KIT_ENCODER, SDK_ENCODER), SDK_ENCODER),
)
SUBJECTS = tuple({subject.key: subject for section in SECTIONS for subject in section.measured()}.values())
SERVED = (BARE, TRACED, LOGGED, UPSTREAM)
"""What gunicorn serves."""
