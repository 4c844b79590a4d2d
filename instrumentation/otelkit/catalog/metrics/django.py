"""Django: where the time of a request goes, and what it asks of the database."""

from __future__ import annotations

from otelkit.catalog import labels as l
from otelkit.catalog.metrics.model import COUNT_BUCKETS, SECONDS_BUCKETS, Kind, Metric

DJANGO_REQUEST_PHASE_DURATION = Metric(
    "django.request.phase.duration",
    Kind.HISTOGRAM,
    "s",
    "Time of one request by phase; the phases of a request add up to its duration, apart from waiting while a body is streamed.",
    (l.HTTP_ROUTE, l.REQUEST_PHASE),
    SECONDS_BUCKETS,
)
DJANGO_REQUEST_DB_QUERIES = Metric(
    "django.request.db.queries",
    Kind.HISTOGRAM,
    "{query}",
    "Database queries that one request made.",
    (l.HTTP_ROUTE,),
    COUNT_BUCKETS,
)
DJANGO_REQUEST_DB_DUPLICATES = Metric(
    "django.request.db.duplicates",
    Kind.HISTOGRAM,
    "{query}",
    "Queries of one request whose statement ran more than once in it, first runs included: 1 + N queries give N. The mark of N+1.",
    (l.HTTP_ROUTE,),
    COUNT_BUCKETS,
)
DJANGO_REQUEST_DB_N_PLUS_ONE = Metric(
    "django.request.db.n_plus_one",
    Kind.COUNTER,
    "{query}",
    "Queries of statements that one request ran so often that it is an N+1 (setting `database.n_plus_one`), by statement and line.",
    (l.HTTP_ROUTE, l.DB_QUERY_SUMMARY, l.DB_QUERY_REPEATED_CALLER),
    series_cap=200,  # lines move with each deploy; a service with more N+1 than this has no need of the list's end
)
DJANGO_CACHE_OPERATION_DURATION = Metric(
    "django.cache.operation.duration",
    Kind.HISTOGRAM,
    "s",
    "Time of one call of a cache.",
    (l.CACHE_NAME, l.CACHE_OPERATION, l.CACHE_OUTCOME),
    (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0),  # a cache that takes 5 ms is a slow one
)
DJANGO_TEMPLATE_RENDER_DURATION = Metric(
    "django.template.render.duration",
    Kind.HISTOGRAM,
    "s",
    "Time to render one template, those that it includes with it.",
    (l.TEMPLATE_NAME,),
    SECONDS_BUCKETS,
    series_cap=200,  # a name may be made at run time
)
VALIDATION_FAILURES = Metric(
    "validation.failures",
    Kind.COUNTER,
    "{request}",
    "Requests whose content a serializer or a schema found wrong.",
    (l.HTTP_ROUTE,),
)
THROTTLE_REJECTIONS = Metric(
    "throttle.rejections", Kind.COUNTER, "{request}", "Requests refused because there were too many.", (l.THROTTLE_SCOPE,)
)
DJANGO_MIGRATIONS_UNAPPLIED = Metric(
    "django.migrations.unapplied",
    Kind.GAUGE,
    "{migration}",
    "Migrations that the code has and the database has not, asked in the background; absent while the database does not answer.",
    (l.DB_NAMESPACE,),
)
